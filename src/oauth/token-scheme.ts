import type { DpopKey, DpopProofs } from './dpop.ts'

/** An access token and the key that it is bound to, if it is. */
export interface ShownToken {
  accessToken: string
  dpopKey: DpopKey | undefined
}

/** Sends a request to exactly this URL. */
type SendOne = (url: string, init: RequestInit) => Promise<Response>

/**
 * Shows an access token to an API: as it is (RFC 6750), or with a proof that its key is here (RFC 9449
 * section 7). A server that wants its nonce in the proof gets the request once more, if its body can
 * be sent again.
 */
export async function sendWithToken(
  { accessToken, dpopKey }: ShownToken,
  proofs: DpopProofs,
  [url, init]: [url: string, init: RequestInit],
  send: SendOne,
): Promise<Response> {
  const headers = new Headers(init.headers)
  headers.set('authorization', `${dpopKey ? 'DPoP' : 'Bearer'} ${accessToken}`)
  if (!dpopKey) return send(url, { ...init, headers })
  const { method = 'GET', body } = init
  const sendProven = async () => {
    headers.set('dpop', await proofs.proof(dpopKey, { method, url, accessToken }))
    return send(url, { ...init, headers })
  }
  const response = await sendProven()
  const wantsNonce = proofs.note(dpopKey, url, response)
  if (!wantsNonce || body instanceof ReadableStream) return response
  await response.body?.cancel()
  const second = await sendProven()
  proofs.note(dpopKey, url, second)
  return second
}
