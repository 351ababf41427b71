// Compiled by `npm run check` with the DOM's types and every declaration file checked: both have a URLPattern.
/// <reference lib="dom" />
import { responseCache } from 'behalf/cache'

export const cache: unknown = responseCache({ rules: { '/v1/*': 60 } })
export const pattern: URLPattern | undefined = undefined
