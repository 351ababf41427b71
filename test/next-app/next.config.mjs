// Drivers are loaded by name, which no tracing sees.
const driver = ['libsql', '@libsql', '@neon-rs', 'detect-libc']

/** What is most particular about caching, and about how an app is shipped. */
export default {
  cacheComponents: true,
  partialPrefetching: true,
  output: 'standalone',
  outputFileTracingIncludes: {
    '/**': driver.map((name) => `../../node_modules/${name}/**/*`),
  },
}
