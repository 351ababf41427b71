import type { ProviderDefinition, ProviderOptions } from '../provider.ts'

/** A preset's settings with the app's overrides; an override that is `undefined` changes nothing. */
export function preset(
  settings: ProviderDefinition,
  overrides: ProviderOptions,
): ProviderDefinition {
  const given = Object.entries(overrides).filter(([, value]) => value !== undefined)
  return { ...settings, ...Object.fromEntries(given) }
}
