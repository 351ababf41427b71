import { createTestApi, createTestProvider } from '../../src/testing/index.ts'
import type { TestApi, TestProvider } from '../../src/testing/index.ts'
import { Pod, type PodEnd, type PodSettings, type PodTokens } from './rolling-pod.ts'

type OpenSettings = Pick<PodSettings, 'url' | 'tokens'>

/** Processes of one app, in turn behind one address; and the world around them. */
export class RollingFleet {
  readonly provider: TestProvider
  readonly #api: TestApi
  readonly #settings: Omit<PodSettings, 'secret'>
  readonly #pods = new Set<Pod>()
  #turn = 0

  private constructor(provider: TestProvider, api: TestApi, settings: OpenSettings) {
    this.provider = provider
    this.#api = api
    const { overrides } = provider
    this.#settings = { ...settings, overrides, apiBaseUrl: api.baseUrl }
  }

  static async open(url: string, tokens?: PodTokens): Promise<RollingFleet> {
    const provider = await createTestProvider()
    return new RollingFleet(provider, await createTestApi({ provider }), { url, tokens })
  }

  /** Another process, which gets requests from then on. */
  async add(secret: readonly string[]): Promise<Pod> {
    const pod = await Pod.start({ ...this.#settings, secret })
    this.#pods.add(pod)
    return pod
  }

  /** A process gets no further requests, and ends. */
  async end(pod: Pod): Promise<PodEnd> {
    this.#pods.delete(pod)
    return pod.end()
  }

  /** Replaces one process after the other; each one's successor starts while it ends. */
  async roll(secret: readonly string[]): Promise<PodEnd[]> {
    const ends: PodEnd[] = []
    const all = [...this.#pods]
    for (const pod of all) {
      const [end] = await Promise.all([this.end(pod), this.add(secret)])
      ends.push(end)
    }
    return ends
  }

  /** Whose turn it is. */
  next(): Pod {
    const pods = [...this.#pods]
    return pods[this.#turn++ % pods.length]!
  }

  async close(): Promise<void> {
    for (const pod of this.#pods) pod.kill()
    await this.#api.close()
    await this.provider.close()
  }
}
