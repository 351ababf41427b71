import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HeldReply } from '../../src/cache/held-reply.ts'

const url = 'https://api.example.com/v1/me?market=DE'

function held(body: Uint8Array | null, status = 200): HeldReply {
  const fields = () => [['content-type', 'application/json'] as const, ['x-two', 'words'] as const]
  return new HeldReply({ status, statusText: 'Fine', url, fields, body })
}

function fetched(body: Uint8Array | null, status = 200): Response {
  const headers = { 'content-type': 'application/json', 'x-two': 'words' }
  return new Response(body, { status, statusText: 'Fine', headers })
}

/** What a caller can do with a reply; of equal ones the outcome is equal. */
const uses: Readonly<Record<string, (reply: Response) => unknown>> = {
  text: (reply) => reply.text(),
  json: (reply) => reply.json(),
  arrayBuffer: async (reply) => Buffer.from(await reply.arrayBuffer()).toString('hex'),
  bytes: async (reply) =>
    Buffer.from(await (reply as Response & { bytes(): Promise<Uint8Array> }).bytes()).toString(
      'hex',
    ),
  blob: async (reply) => {
    const blob = await reply.blob()
    return [blob.type, await blob.text()]
  },
  stream: async (reply) => {
    const pieces: Uint8Array[] = []
    for await (const piece of reply.body ?? []) pieces.push(piece as Uint8Array)
    return Buffer.concat(pieces).toString('hex')
  },
  'first piece': async (reply) => {
    const reader = reply.body?.getReader()
    const first = await reader?.read()
    reader?.releaseLock()
    return first?.done
  },
  // It ends when the clones have been cancelled as well.
  cancel: (reply) => {
    reply.body?.cancel().catch(() => {})
    return reply.bodyUsed
  },
  'has a body': (reply) => reply.body !== null,
  bodyUsed: (reply) => reply.bodyUsed,
  'as another': async (reply) => {
    const other = new Response(reply.body, reply)
    return [other.status, other.statusText, [...other.headers], await other.text()]
  },
  about: ({ status, statusText, ok, redirected, headers }) => [
    status,
    statusText,
    ok,
    redirected,
    [...headers],
  ],
  'set a field': (reply) => reply.headers.set('x-two', 'other'),
}

async function outcome(use: (reply: Response) => unknown, reply: Response): Promise<unknown> {
  try {
    return { is: await use(reply) }
  } catch (error) {
    return { error: (error as Error).name }
  }
}

const bodies = fc.oneof(
  fc.json().map((text) => Buffer.from(text)),
  fc.string({ unit: 'binary' }).map((text) => Buffer.from(`\uFEFF${text}`)),
  fc.uint8Array({ maxLength: 200 }),
  fc.constant(null),
)

describe('a reply whose body is in memory', () => {
  test('is used as what fetch gives, whatever is done with it and its clones in whatever order', async () => {
    const step = fc.record({
      use: fc.constantFrom(...Object.keys(uses), 'clone'),
      of: fc.nat({ max: 3 }),
    })
    await fc.assert(
      fc.asyncProperty(bodies, fc.array(step, { maxLength: 8 }), async (body, steps) => {
        const pairs: Array<[Response, Response]> = [[held(body), fetched(body)]]
        for (const { use, of } of steps) {
          const [ours, theirs] = pairs[of % pairs.length]!
          if (use === 'clone') {
            const clones = [ours, theirs].map((one) => outcome((reply) => reply.clone(), one))
            const [our, their] = (await Promise.all(clones)) as Array<{ is?: Response }>
            expect(our!.is === undefined).toBe(their!.is === undefined)
            if (our!.is && their!.is) pairs.push([our!.is, their!.is])
            continue
          }
          const [our, their] = [await outcome(uses[use]!, ours), await outcome(uses[use]!, theirs)]
          expect(our, use).toEqual(their)
        }
      }),
      { numRuns: 1_000 },
    )
  })

  test('is a Response with the URL it came from, and so is its clone, also of one that is streamed', () => {
    const reply = held(Buffer.from('{}'))
    const clone = reply.clone()
    expect(clone.body).not.toBeNull()
    for (const one of [reply, clone, clone.clone()]) {
      expect(one).toBeInstanceOf(Response)
      expect(one.url).toBe(url)
    }
  })

  test('never hands out the bytes that it was made of', async () => {
    const body = new Uint8Array(200_000).fill(65)
    const read: Array<(reply: Response) => Promise<Uint8Array>> = [
      async (reply) => new Uint8Array(await reply.arrayBuffer()),
      async (reply) => (await reply.body!.getReader().read()).value!,
      async (reply) => new Uint8Array(await (await reply.blob()).arrayBuffer()),
    ]
    for (const one of read) {
      const reply = held(body)
      const clone = reply.clone()
      const bytes = await one(reply)
      bytes.fill(66)
      expect(await clone.text()).toBe('A'.repeat(200_000))
    }
    expect(body.every((byte) => byte === 65)).toBe(true)
  })
})
