/**
 * The URL that a text is, or `undefined`. `URL.canParse` is not asked: once V8 has
 * compiled the call, Node 20's reads characters from U+0080 to U+00FF as UTF-8, and says yes to texts
 * for which the constructor throws (found by `npm run fuzz`).
 */
export function parsedUrl(text: string, base?: string | URL): URL | undefined {
  try {
    return new URL(text, base)
  } catch {
    return undefined
  }
}
