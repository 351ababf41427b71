import type { ProviderDefinition, ProviderOptions } from '../provider.ts'

/** A preset's settings with the app's overrides; an override that is `undefined` changes nothing. */
export function preset(
  settings: ProviderDefinition,
  overrides: ProviderOptions,
): ProviderDefinition {
  const given = Object.entries(overrides).filter(([, value]) => value !== undefined)
  // An API at another place has none of the preset's origins.
  const moved = overrides.apiBaseUrl === undefined ? {} : { apiOrigins: undefined }
  return { ...settings, ...moved, ...Object.fromEntries(given) }
}
