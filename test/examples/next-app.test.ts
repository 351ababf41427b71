import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask } from './asking.ts'
import { project } from './page.ts'
import { buildNext, runNext, type RunningNext } from './running-next.ts'

const folder = join(project, 'test/next-app')
const standalone = '.next/standalone/test/next-app/server.js'

describe('a Next.js app with Cache Components, shipped as output: standalone', () => {
  let running: RunningNext
  const json = async (path: string, headers: Record<string, string> = {}): Promise<unknown> =>
    JSON.parse((await ask(`${running.baseUrl}${path}`, { headers })).body)

  beforeAll(async () => {
    await buildNext(folder)
    running = await runNext({ folder, standalone })
  }, 300_000)
  afterAll(() => running?.close())

  test('has one core for all copies of its module, and knows their errors', async () => {
    await ask(`${running.baseUrl}/`, { headers: { accept: 'text/html' } })
    const found = (await json('/instances')) as { copies: number }
    expect(found).toMatchObject({
      cores: 1,
      error: { name: 'LoginRequiredError', isOurs: true },
    })
    expect(found.copies).toBeGreaterThan(1)
  }, 60_000)

  test("NX-04 in 'use cache' a user's client says what to do instead, also one that was made outside", async () => {
    const { outside, unstable, ...cached } = (await json('/refused')) as Record<string, object>
    expect(Object.keys(cached)).toEqual(['context', 'forUser', 'forSubject', 'client'])
    for (const [name, outcome] of Object.entries({ ...cached, unstable })) {
      expect(outcome, name).toMatchObject({
        code: 'user_in_shared_cache',
        kind: 'UserInSharedCacheError',
        message: expect.stringContaining(name === 'unstable' ? 'unstable_cache()' : "'use cache'"),
        isOurs: true,
      })
    }
    expect(outside).toMatchObject({ code: 'login_required' })
  }, 60_000)

  test("NX-04 in 'use cache' forApp() works, and its result is kept", async () => {
    const { accessToken } = running.provider.issueTokens({ user: 'ada', scope: ['user-top-read'] })
    const headers = { authorization: `Bearer ${accessToken}` }
    const top = await ask(`${running.api.baseUrl}/me/top/artists`, { headers })
    const [artist] = (JSON.parse(top.body) as { items: Array<{ id: string; name: string }> }).items
    for (const round of [1, 2]) {
      const { body } = await ask(`${running.baseUrl}/cached?id=${artist!.id}`)
      expect(body, `round ${round}`).toContain(artist!.name)
    }
    expect(running.api.requestsTo(`artists/${artist!.id}`)).toBe(1)
    expect(running.provider.seen.clientRequests).toBe(1)
  }, 60_000)

  test('a page whose shell was built without a secret still sends to the login', async () => {
    const { body } = await ask(`${running.baseUrl}/`, { headers: { accept: 'text/html' } })
    // The shell has been sent by then, so the redirect is in the page.
    expect(body).toContain('url=/auth/spotify/login"')
  }, 60_000)
})
