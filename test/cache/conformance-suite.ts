import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** One test of the suite, as far as we look at it. */
interface SuiteTest {
  id: string
  name: string
  kind?: Kind
  depends_on?: string[]
  [detail: string]: unknown
}

interface Chapter {
  id: string
  tests: SuiteTest[]
}

/** A cache under test: what it calls itself, which kind it is, and how it fetches. */
export interface Contestant {
  name: string
  kind: 'private' | 'shared'
  fetch: (url: string, init: RequestInit) => Promise<Response>
}

type Kind = 'required' | 'optimal' | 'check'

/** How a contestant did, in the suite's own terms. A check has no wrong answer: yes passes. */
export interface Verdict {
  total: Record<Kind, number>
  passed: Record<Kind, number>
  /** The ids of those that failed. */
  failed: Record<Kind, string[]>
  /** Not reached, because something they rest on is not so. */
  skipped: string[]
  /** What was seen instead, by id. */
  why: Record<string, string>
}

type Handler = (path: string[], request: IncomingMessage, response: ServerResponse) => void
type Fetch = (url: string, init?: SuiteInit) => Promise<Response>
type SuiteInit = RequestInit & { headers?: Array<[string, string]> }

/** So many tests at a time: each waits for seconds, and few need the processor. */
const atATime = 300

/** What was late then comes with less beside it. */
const atATimeAgain = 40

/** Runs the suite at `path` for all contestants at once. */
export async function runSuite(
  path: string,
  contestants: readonly Contestant[],
): Promise<Map<Contestant, Verdict>> {
  const load = (file: string) =>
    import(/* @vite-ignore */ pathToFileURL(join(path, '..', '..', file)).href)
  const chapters = ((await load('tests/index.mjs')) as { default: Chapter[] }).default
  const server = await serve(load)
  const config = (await load('client/config.mjs')) as Record<string, (value: unknown) => void>
  const { makeCacheTest, testResults } = (await load('client/test.mjs')) as {
    makeCacheTest: (test: SuiteTest) => Promise<void>
    testResults: Record<string, true | [string, string]>
  }
  config['setBaseUrl']!(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  config['setUseBrowserCache']!(true)
  config['setFetch']!(dispatching(contestants))
  try {
    const all = contestants.flatMap((contestant, index) =>
      testsFor(chapters, contestant.kind).map((test) => withPrefix(test, String(index))),
    )
    await pooled(all, atATime, makeCacheTest)
    const resultOf = (index: number, id: string) =>
      testResults[`${index}/again/${id}`] ?? testResults[`${index}/${id}`]!
    const succeeds = ({ id }: SuiteTest, kind: string) =>
      contestants.some((one, index) => one.kind === kind && resultOf(index, id) === true)
    // On a busy machine a store may be late, and the suite's seconds pass: once more, then.
    const again = contestants.flatMap(({ kind }, index) =>
      testsFor(chapters, kind)
        .filter((test) => resultOf(index, test.id) !== true && succeeds(test, kind))
        .map((test) => withPrefix(test, `${index}/again`)),
    )
    await pooled(again, atATimeAgain, makeCacheTest)
    return new Map(
      contestants.map((contestant, index) => {
        const tests = testsFor(chapters, contestant.kind)
        const results = new Map(tests.map(({ id }) => [id, resultOf(index, id)]))
        return [contestant, verdictOf(tests, results)]
      }),
    )
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

function testsFor(chapters: readonly Chapter[], kind: 'private' | 'shared'): SuiteTest[] {
  const isOthers =
    kind === 'private'
      ? ({ name }: SuiteTest) => /\bshared\b/i.test(name)
      : ({ name }: SuiteTest) => /\bprivate HTTP cache\b/i.test(name)
  return chapters.flatMap(({ tests }) => tests.filter((test) => !isOthers(test)))
}

/** The id goes with each request as a header, and tells whose it is. */
function withPrefix(test: SuiteTest, prefix: string): SuiteTest {
  return { ...structuredClone(test), id: `${prefix}/${test.id}` }
}

function dispatching(contestants: readonly Contestant[]): Fetch {
  return async (url, init = {}) => {
    const id = init.headers?.find(([name]) => name === 'Test-ID')?.[1]
    // Configuration and state are the suite's own affair.
    if (id === undefined) return fetch(url, init)
    return contestants[Number(id.split('/')[0])]!.fetch(url, init)
  }
}

async function pooled(
  tests: SuiteTest[],
  width: number,
  run: (test: SuiteTest) => Promise<void>,
): Promise<void> {
  const left = tests.values()
  const worker = async () => {
    for (const test of left) await run(test)
  }
  await Promise.all(Array.from({ length: width }, worker))
}

async function serve(load: (file: string) => Promise<{ default: Handler }>): Promise<Server> {
  const names = ['config', 'test', 'state'] as const
  const handlers = new Map<string, Handler>()
  for (const name of names) handlers.set(name, (await load(`server/handle-${name}.mjs`)).default)
  const server = createServer((request, response) => {
    const [, dispatch = '', ...rest] = new URL(request.url!, 'http://suite').pathname.split('/')
    handlers.get(dispatch)?.(rest, request, response)
  })
  server.keepAliveTimeout = 30_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

/** The suite's own scoring: what rests on something that is not so does not count. */
function verdictOf(
  tests: readonly SuiteTest[],
  results: ReadonlyMap<string, true | [string, string]>,
): Verdict {
  const byId = new Map(tests.map((test) => [test.id, test]))
  const verdict: Verdict = {
    total: { required: 0, optimal: 0, check: 0 },
    passed: { required: 0, optimal: 0, check: 0 },
    failed: { required: [], optimal: [], check: [] },
    skipped: [],
    why: {},
  }
  const met = (id: string): boolean => {
    const test = byId.get(id)
    if (!test) return false
    return results.get(id) === true && (test.depends_on ?? []).every(met)
  }
  for (const { id, kind = 'required', depends_on: on = [] } of tests) {
    const result = results.get(id)!
    verdict.total[kind] += 1
    if (result !== true) verdict.why[id] = result.join(': ')
    if (!on.every(met) || (result !== true && result[0] === 'Setup')) verdict.skipped.push(id)
    else if (result === true) verdict.passed[kind] += 1
    else verdict.failed[kind].push(id)
  }
  return verdict
}
