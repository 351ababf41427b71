import type { ReceivedRequest } from '../server/listen.ts'
import { ProtocolError } from './protocol-error.ts'
import type { ProviderSwitches, TokenEndpointSwitch } from './provider-switches.ts'
import { jsonReply } from '../server/raw-reply.ts'
import type { RawReply } from '../server/raw-reply.ts'

/** The reply that takes the place of the token endpoint's own, if the switch asks for one. */
export async function tokenEndpointFault(
  { tokenEndpoint, retryAfter }: ProviderSwitches,
  request: ReceivedRequest,
  form: URLSearchParams,
): Promise<RawReply | undefined> {
  if (typeof tokenEndpoint !== 'function') {
    return tokenEndpoint in faults ? faults[tokenEndpoint as Fault](request, retryAfter) : undefined
  }
  const grantType = form.get('grant_type') ?? undefined
  const parameters = Object.fromEntries(form)
  return tokenEndpoint({ grantType, parameters, headers: request.headers })
}

type Fault = Exclude<Extract<TokenEndpointSwitch, string>, 'works' | 'slow' | 'resets-after'>

const faults: Readonly<
  Record<Fault, (request: ReceivedRequest, retryAfter: number | undefined) => RawReply>
> = {
  unavailable: (_, retryAfter) =>
    jsonReply({ error: 'temporarily_unavailable' }, 503, retryHeader(retryAfter)),
  'bad-gateway': () => ({
    status: 502,
    headers: { 'content-type': 'text/html' },
    body: '<!doctype html><title>502</title><h1>Bad Gateway</h1>',
  }),
  'rate-limited': (_, retryAfter) =>
    jsonReply({ error: 'slow_down' }, 429, retryHeader(retryAfter ?? 1)),
  'invalid-client': () =>
    new ProtocolError('invalid_client', 'Client authentication failed', 401).reply(),
  hangs: () => ({ delivery: 'never' }),
  'resets-before': () => ({ delivery: 'reset' }),
  redirects: ({ url }) => ({ status: 307, headers: { location: `/redirected${url.pathname}` } }),
  garbage: () => ({ ...jsonReply(''), body: '{"access_token": <oops' }),
}

function retryHeader(seconds: number | undefined): Record<string, string> {
  return seconds === undefined ? {} : { 'retry-after': String(seconds) }
}
