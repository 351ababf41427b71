import { inspect } from 'node:util'
import * as v from 'valibot'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { UnexpectedResponseError } from '../../src/errors.ts'
import { ApiClient } from '../../src/oauth/api-client.ts'
import { resolveProvider } from '../../src/oauth/provider.ts'
import { oauth2 } from '../../src/oauth/providers/index.ts'

const album = {
  name: 'Made up',
  tracks: [{ title: 'First' }, { title: 'Second' }],
  released: '2026-01-02',
}
const hush = 'a value that no error may quote'

/** A client whose API answers every call with `reply`. */
function apiAnswering(reply: unknown): ApiClient {
  const definition = oauth2({
    clientId: 'id',
    clientSecret: 'secret',
    authorizationEndpoint: 'https://as.example/authorize',
    tokenEndpoint: 'https://as.example/token',
    apiBaseUrl: 'https://api.example',
  })
  const provider = resolveProvider('music', definition, fetch)
  return new ApiClient(provider, {
    send: async () => Response.json(reply),
    partition: () => Promise.reject(new Error('not asked for')),
  })
}

/** The same schema in both libraries: a release date becomes a Date, a track number has a default. */
const zodAlbum = z.object({
  name: z.string(),
  tracks: z.array(z.object({ title: z.string(), number: z.number().default(1) })),
  released: z.string().transform((text) => new Date(text)),
})
const valibotAlbum = v.object({
  name: v.string(),
  tracks: v.array(v.object({ title: v.string(), number: v.optional(v.number(), 1) })),
  released: v.pipe(
    v.string(),
    v.transform((text) => new Date(text)),
  ),
})

interface Album {
  name: string
  tracks: Array<{ title: string; number: number }>
  released: Date
}

describe('a reply that fits its schema has the type of what the schema makes of it', () => {
  const parsed: Album = {
    name: 'Made up',
    tracks: [
      { title: 'First', number: 1 },
      { title: 'Second', number: 1 },
    ],
    released: new Date('2026-01-02'),
  }

  test('zod', async () => {
    const reply = await apiAnswering(album).get('album', { schema: zodAlbum })
    expectTypeOf(reply).toEqualTypeOf<Album>()
    expect(reply).toEqual(parsed)
  })

  test('valibot', async () => {
    const reply = await apiAnswering(album).get('album', { schema: valibotAlbum })
    expectTypeOf(reply).toEqualTypeOf<Album>()
    expect(reply).toEqual(parsed)
  })

  test('schemas that answer later', async () => {
    const later = () => Promise.resolve(true)
    const ofZod = z.object({ name: z.string().refine(later) })
    const ofValibot = v.objectAsync({ name: v.pipeAsync(v.string(), v.checkAsync(later)) })
    expect(await apiAnswering(album).get('album', { schema: ofZod })).toEqual({ name: 'Made up' })
    expect(await apiAnswering(album).post('album', { schema: ofValibot })).toEqual({
      name: 'Made up',
    })
  })

  test('every page of a list', async () => {
    const api = apiAnswering([album])
    for await (const page of api.pages('albums', { schema: z.array(zodAlbum) })) {
      expectTypeOf(page).toEqualTypeOf<Album[]>()
      expect(page).toEqual([parsed])
    }
  })
})

describe('TK-14 a reply that does not fit is refused by the name of its field, unquoted', () => {
  const replies: Array<[string, string, unknown]> = [
    ['a wrong type', 'name', { ...album, name: { hush } }],
    [
      'something deep in a list',
      'tracks.1.title',
      { ...album, tracks: [{ title: 'First' }, { title: [hush] }] },
    ],
    ['a missing field', 'released', { name: hush, tracks: [] }],
  ]
  const schemas = [
    ['zod', zodAlbum],
    ['valibot', valibotAlbum],
  ] as const

  for (const [library, schema] of schemas) {
    test.each(replies)(`${library}: %s`, async (_what, field, reply) => {
      const error: unknown = await apiAnswering(reply)
        .get<Album>('album', { schema })
        .catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(UnexpectedResponseError)
      expect(error).toMatchObject({ code: 'unexpected_response' })
      expect(String(error)).toMatch(new RegExp(` at ${field.replaceAll('.', '\\.')}\\b`))
      expect(inspect(error, { depth: 8, showHidden: true })).not.toContain(hush)
    })

    test(`${library}: not even an object`, async () => {
      const reading = apiAnswering(hush).get<Album>('album', { schema })
      await expect(reading).rejects.toThrow(/does not fit its schema/)
      await expect(reading).rejects.not.toThrow(hush)
    })
  }

  test('a page of a list', async () => {
    const schema = z.object({ items: z.array(z.string()) })
    const first = apiAnswering({ items: hush }).pages('lists', { schema }).next()
    await expect(first).rejects.toThrow(/does not fit its schema at items/)
  })
})
