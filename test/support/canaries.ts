import { inspect } from 'node:util'
import type { BehalfEvent } from '../../src/events.ts'

type Place = 'one process' | 'several processes'

/** Which of the canary tests has to see an event: each of them, so that it is searched. */
export const seenIn: Readonly<Record<BehalfEvent['type'], Place>> = {
  login: 'one process',
  login_failed: 'one process',
  logout: 'one process',
  upstream: 'one process',
  throttled: 'one process',
  refresh_started: 'one process',
  refresh: 'one process',
  refresh_failed: 'one process',
  reauth_required: 'one process',
  refresh_shared: 'several processes',
  refresh_recovered: 'several processes',
  lease_wait: 'several processes',
  lease_lost: 'several processes',
  reuse_suspected: 'several processes',
}

export function typesSeenIn(place: Place): string[] {
  return Object.entries(seenIn).flatMap(([type, where]) => (where === place ? [type] : []))
}

/** What must be seen nowhere, and how it could be hidden. */
export class Canaries {
  readonly #secrets = new Set<string>()

  plant(...texts: Array<string | null | undefined>): void {
    for (const text of texts) if (text && text.length >= 8) this.#secrets.add(text)
  }

  get count(): number {
    return this.#secrets.size
  }

  /** Looks into text, bytes, and whatever a log would make of anything else. */
  expectNoneIn(where: string, material: unknown): void {
    const text = textOf(material)
    for (const canary of this.#secrets) {
      for (const form of formsOf(canary)) {
        if (text.includes(form))
          throw new Error(`A secret was found in ${where}: …${around(text, form)}…`)
      }
    }
  }
}

function textOf(material: unknown): string {
  if (Buffer.isBuffer(material)) return material.toString('latin1')
  if (typeof material === 'string') return material
  return inspect(material, { depth: 10, showHidden: true, maxArrayLength: null })
}

function formsOf(text: string): string[] {
  const bytes = Buffer.from(text)
  return [
    text,
    bytes.toString('base64'),
    bytes.toString('base64url'),
    bytes.toString('hex'),
    encodeURIComponent(text),
  ]
}

function around(text: string, form: string): string {
  const at = text.indexOf(form)
  return text.slice(Math.max(0, at - 60), at)
}
