import type { RecordHome } from './record-home.ts'

/** What stands beside a user's record: its tokens were moved here, or it was ended here. */
const marks = { moved: new Uint8Array([1]), ended: new Uint8Array([2]) }

/** What became of grants, wherever else there are tokens of them; by their records' keys. */
export class GrantMarks {
  readonly #store: RecordHome

  constructor(store: RecordHome) {
    this.#store = store
  }

  /** Tells whether it was news. */
  async noteMoved(key: string): Promise<boolean> {
    return (await this.#store.compareAndSwap(placeOf(key), undefined, marks.moved)) !== undefined
  }

  async noteEnded(key: string): Promise<void> {
    let written: string | undefined
    while (written === undefined) {
      const mark = await this.#store.get(placeOf(key))
      written = await this.#store.compareAndSwap(placeOf(key), mark?.version, marks.ended)
    }
  }

  async noted(key: string): Promise<keyof typeof marks | undefined> {
    const mark = await this.#store.get(placeOf(key))
    if (!mark) return undefined
    return mark.value[0] === marks.moved[0] ? 'moved' : 'ended'
  }
}

function placeOf(key: string): string {
  return `${key}:mark`
}
