import { Octokit } from '@octokit/core'
import { expect, test } from 'vitest'
import { BehalfError, LoginRequiredError } from '../../src/index.ts'
import type { Carried } from './client-app.ts'
import { createCodeHost } from './code-host.ts'
import { describeClient } from './describe-client.ts'

type Req = Carried<'github'>

function octokitFor(req: Req): Octokit {
  // docs/clients.md: begin
  const octokit = new Octokit({ request: { fetch: req.api.github.fetch } })
  octokit.hook.error('request', (error) => {
    throw error.cause instanceof BehalfError ? error.cause : error
  })
  // docs/clients.md: end
  return octokit
}

async function repositories(req: Req): Promise<string[]> {
  const octokit = octokitFor(req)
  const names: string[] = []
  // docs/clients.md: begin
  for (let page = 1; ; page += 1) {
    const query = { per_page: 10, page }
    const { data, headers } = await octokit.request('GET /user/repos', query)
    names.push(...data.map(({ name }) => name))
    if (!headers.link?.includes('rel="next"')) break
  }
  // docs/clients.md: end
  return names
}

describeClient('@octokit/core', {
  name: 'github',
  world: createCodeHost,
  profilePath: '/user',
  missingPath: '/repos/ada/none',
  profile: async (req) => {
    const { data, headers } = await octokitFor(req).request('GET /user')
    return { id: data.login, cacheStatus: headers['cache-status'] }
  },
  firstThree: async (req) => {
    const { data } = await octokitFor(req).request('GET /user/repos', { per_page: 3 })
    return data.map(({ name }) => name)
  },
  wholeList: repositories,
  write: async (req) => {
    const { status, data } = await octokitFor(req).request('POST /user/repos', { name: 'engine' })
    const names = await repositories(req)
    return { status, name: data.name, isThere: names.includes('engine') }
  },
  written: { status: 201, name: 'engine', isThere: true },
  missing: (req) =>
    octokitFor(req).request('GET /repos/{owner}/{repo}', { owner: 'ada', repo: 'none' }),
  reported: {
    name: 'HttpError',
    status: 404,
    message: 'Not Found - https://docs.github.com/rest',
  },
  aborted: (req, signal) => octokitFor(req).request('GET /user', { request: { signal } }),
  elsewhere: (req, url) => octokitFor(req).request(`GET ${url}`),
})

test('without the hook an error of behalf is the cause of a RequestError of its own', async () => {
  const refused = new LoginRequiredError('github', '/auth/github/login')
  const octokit = new Octokit({ request: { fetch: () => Promise.reject(refused) } })
  await expect(octokit.request('GET /user')).rejects.toMatchObject({ status: 500, cause: refused })
})
