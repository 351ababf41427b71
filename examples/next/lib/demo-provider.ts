import type { SpotifyOptions } from 'behalf/providers'

/** Where the demo and the tests point `spotify()` to: DEMO_PROVIDER has it as JSON. */
export function demoProvider(): SpotifyOptions {
  return JSON.parse(process.env['DEMO_PROVIDER'] || '{}') as SpotifyOptions
}
