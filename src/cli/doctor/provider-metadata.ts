import { BehalfError } from '../../errors.ts'
import { AuthorizationServer } from '../../oauth/authorization-server.ts'
import { resolveProvider } from '../../oauth/provider.ts'
import { type ProviderArguments, terminalProvider } from '../terminal-provider.ts'
import { UsageError } from '../usage-error.ts'
import { type Finding, findingsAbout } from './finding.ts'

/** Seconds. */
const timeout = 10
/** Seconds that clocks may differ: ID tokens and DPoP proofs are refused beyond. */
const clockTolerance = 30

/** Can the authorization server be reached, is it who it says, and does its clock agree? */
export async function checkProvider(name: string, given: ProviderArguments): Promise<Finding[]> {
  const { ok, change } = findingsAbout(name)
  const dates: number[] = []
  const noting: typeof fetch = async (input, init) => {
    const askedAt = Date.now()
    const reply = await fetch(input, init)
    const date = Date.parse(reply.headers.get('date') ?? '')
    // The header has whole seconds, and was written at some time in between.
    if (!Number.isNaN(date)) dates.push((date + 500 - (askedAt + Date.now()) / 2) / 1000)
    return reply
  }
  try {
    const definition = terminalProvider(name, given)
    const provider = resolveProvider(name, definition, noting)
    const server = new AuthorizationServer(provider, timeout)
    const metadata = (await server.configured()).serverMetadata()
    if (dates.length === 0) await noting(metadata.token_endpoint!, { method: 'HEAD' })
    const isPublic = provider.clientAuthentication === 'none'
    return [
      ok(`issuer ${metadata.issuer}`),
      ok(isPublic ? 'a public client: no secret is set' : provider.clientAuthentication),
      ...clock(dates),
    ]
  } catch (error) {
    const isTold = error instanceof BehalfError || error instanceof UsageError
    return [change(isTold ? error.message : 'cannot be reached from here')]
  }
}

function clock([difference]: readonly number[]): Finding[] {
  const { ok, change } = findingsAbout('clock')
  if (difference === undefined) return []
  const seconds = Math.round(Math.abs(difference))
  if (seconds <= clockTolerance) return [ok('agrees with the provider’s')]
  return [change(`differs from the provider’s by ${seconds} s: set it by NTP`)]
}
