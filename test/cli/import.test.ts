import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { createBehalf } from '../../src/middleware/behalf.ts'
import { secret, useWorld } from '../middleware/express-app.ts'

const world = useWorld()
const folder = mkdtempSync(join(tmpdir(), 'behalf-import-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function behalf(args: string[], input = '', environment: NodeJS.ProcessEnv = {}) {
  const env = { ...process.env, BEHALF_SECRET: secret, ...environment }
  const command = ['--import', 'tsx', 'src/cli/behalf.ts', 'import', ...args]
  const child = spawn(process.execPath, command, { env })
  const printed = { out: '', error: '' }
  child.stdout.on('data', (text) => (printed.out += text))
  child.stderr.on('data', (text) => (printed.error += text))
  child.stdin.end(input)
  const [status] = (await once(child, 'close')) as [number | null]
  return { status, ...printed }
}

/** A row of Auth.js' accounts with tokens that are good at the test provider. */
function rowOf(userId: string, user: string, provider = 'spotify') {
  const { accessToken, refreshToken, expiresAt } = world.provider.issueTokens({ user })
  return {
    userId,
    provider,
    providerAccountId: user,
    access_token: accessToken,
    refresh_token: refreshToken,
    expires_at: Math.floor(expiresAt / 1000),
    scope: 'user-read-email',
  }
}

test('behalf import moves rows to a store, where the app finds them; a second time changes nothing', async () => {
  const store = `file:${join(folder, 'store')}`
  const rows = [
    rowOf('u1', 'ada'),
    rowOf('u2', 'mei'),
    rowOf('u1', 'ada', 'github'),
    { userId: 'u3' },
  ]
  const file = join(folder, 'rows.json')
  writeFileSync(file, JSON.stringify(rows))

  const first = await behalf(['spotify', file, '--store', store])
  expect(first.out).toBe('4 rows: 2 imported, 0 already there, 1 of other providers, 1 unusable.\n')
  expect(first.status).toBe(1)
  expect(first.error).toMatch(/^row 4: .*needs an accessToken/)
  const again = await behalf(['spotify', file], '', { BEHALF_STORE: store })
  expect(again.out).toContain('0 imported, 2 already there')

  const auth = createBehalf({
    secret,
    store,
    providers: { spotify: world.spotify },
    user: () => '',
  })
  expect(await (await auth.forUser('u2')).api.spotify.get('me')).toMatchObject({ id: 'mei' })
  expect(await auth.grants.list({ subject: 'ada' })).toMatchObject([{ user: 'u1' }])
  await auth.close()
})

test('behalf import takes spotipy’s cache file from the standard input, for a user that is named', async () => {
  const store = `file:${join(folder, 'store-of-one')}`
  const { userId: _user, provider: _provider, ...cache } = rowOf('', 'ada')
  const { out, status } = await behalf(
    ['spotify', '-', '--store', store, '--user', 'local', '--namespace', 'mine'],
    JSON.stringify({ ...cache, token_type: 'Bearer' }),
  )
  expect(out).toContain('1 imported')
  expect(status).toBe(0)
  const options = { secret, store, namespace: 'mine', user: () => '' }
  const auth = createBehalf({ ...options, providers: { spotify: world.spotify } })
  expect(await (await auth.forUser('local')).api.spotify.get('me')).toMatchObject({ id: 'ada' })
  await auth.close()
})

test.each([
  ['no file', ['spotify'], '', /Missing: FILE/],
  ['too much', ['spotify', '-', 'x'], '{}', /Unexpected argument 'x'/],
  ['no store', ['spotify', '-'], '{}', /--store/],
  ['a file that is not there', ['spotify', 'nothing.json', '--store', 'file:unused'], '', /ENOENT/],
  ['what is no JSON', ['spotify', '-', '--store', 'file:unused'], 'hush-token', /no JSON object/],
  ['a list of numbers', ['spotify', '-', '--store', 'file:unused'], '[1]', /no JSON object/],
  ['a store that goes with it', ['spotify', '-', '--store', 'memory:'], '{}', /outlive/],
  ['a bad store', ['spotify', '-', '--store', 'nowhere://x'], '{}', /nowhere/],
])('behalf import refuses %s, and says why', async (_name, args, input, message) => {
  const { status, error, out } = await behalf(args, input, { BEHALF_STORE: undefined })
  expect(status).not.toBe(0)
  expect(error).toMatch(message)
  expect(error + out).not.toContain('hush')
  expect(error).not.toMatch(/\n {4}at /)
})

test('behalf import without a secret says how to get one', async () => {
  const { status, error } = await behalf(['spotify', '-', '--store', 'file:unused'], '{}', {
    BEHALF_SECRET: '',
  })
  expect(status).toBe(1)
  expect(error).toMatch(/npx behalf secret/)
})
