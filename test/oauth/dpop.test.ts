import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { calculateJwkThumbprint, importJWK, jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import { DpopProofs, isDpopKey, newDpopKey } from '../../src/oauth/dpop.ts'

const call = { method: 'GET', url: 'https://api.example/a?b=c#d', accessToken: 'a-token' }

function reply(nonce: string, status = 401): Response {
  const headers = { 'dpop-nonce': nonce, 'www-authenticate': 'DPoP error="use_dpop_nonce"' }
  return new Response(null, { status, headers })
}

async function claimsOf(proof: string, key = newDpopKey()) {
  const { kty, crv, x, y } = key
  return jwtVerify(proof, await importJWK({ kty, crv, x, y }, 'ES256'))
}

describe('a DPoP proof', () => {
  test('OC-33 is about the call and its token, signed by the key whose public half it shows', async () => {
    const key = newDpopKey()
    const { payload, protectedHeader } = await claimsOf(
      await new DpopProofs().proof(key, call),
      key,
    )
    expect(payload).toMatchObject({
      htm: 'GET',
      htu: 'https://api.example/a',
      ath: createHash('sha256').update('a-token').digest('base64url'),
    })
    expect(payload['nonce']).toBeUndefined()
    expect(protectedHeader).toMatchObject({ alg: 'ES256', typ: 'dpop+jwt' })
    expect(Object.keys(protectedHeader['jwk'] as object).toSorted()).toEqual([
      'crv',
      'kty',
      'x',
      'y',
    ])
  })

  test('OC-33 has an id of its own, also among a thousand at once', async () => {
    const proofs = new DpopProofs()
    const key = newDpopKey()
    const made = await Promise.all(Array.from({ length: 1_000 }, () => proofs.proof(key, call)))
    const ids = made.map(
      (proof) => JSON.parse(Buffer.from(proof.split('.')[1]!, 'base64url').toString()).jti,
    )
    expect(new Set(ids).size).toBe(1_000)
  })

  test('OC-33 a nonce is used by the key and at the origin that it was given to', async () => {
    const proofs = new DpopProofs()
    const [mine, other] = [newDpopKey(), newDpopKey()]
    expect(proofs.note(mine, call.url, reply('first'))).toBe(true)
    const nonceIn = async (key: typeof mine, url = call.url) =>
      (await claimsOf(await proofs.proof(key, { ...call, url }), key)).payload['nonce']
    expect(await nonceIn(mine)).toBe('first')
    expect(await nonceIn(other)).toBeUndefined()
    expect(await nonceIn(mine, 'https://other.example/')).toBeUndefined()
    // A reply that is no refusal brings the next one.
    expect(proofs.note(mine, call.url, reply('second', 200))).toBe(false)
    expect(await nonceIn(mine)).toBe('second')
  })

  test('a nonce that is none is passed over, whatever it holds', () => {
    const proofs = new DpopProofs()
    const key = newDpopKey()
    const visible = fc.string({ unit: fc.constantFrom('"', '\\', 'a', 'b ', 'é'), minLength: 1 })
    fc.assert(
      fc.property(visible, (nonce) => {
        // A header ends where its last visible character does.
        const isGood = /^[ab]+$/.test(nonce.trim())
        expect(proofs.note(key, call.url, reply(nonce))).toBe(isGood)
      }),
    )
    expect(proofs.note(key, call.url, reply('x'.repeat(2_000)))).toBe(false)
  })

  test('each key is another one, and what a store gives back is looked at', async () => {
    const keys = Array.from({ length: 20 }, () => newDpopKey())
    const thumbprints = await Promise.all(keys.map((key) => calculateJwkThumbprint(key)))
    expect(new Set(thumbprints).size).toBe(20)
    expect(isDpopKey(keys[0])).toBe(true)
    for (const wrong of [null, 'key', {}, { ...keys[0], d: 1 }, { ...keys[0], crv: 'P-384' }]) {
      expect(isDpopKey(wrong)).toBe(false)
    }
  })
})
