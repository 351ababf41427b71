import type { Bodies } from './bodies.ts'
import type { FileBody, Found } from './document.ts'

/** What of a document tells whether it has a file. */
export const fileFields = { version: 1, 'value.length': 1 }

/** Where the values of documents are: in them, or in files beside them where `bodies` takes these. */
export class DocumentValues {
  readonly #bodies: Bodies | undefined

  constructor(bodies: Bodies | undefined) {
    this.#bodies = bodies
  }

  get hasFiles(): boolean {
    return this.#bodies !== undefined
  }

  /** A file is written before its document, so that nobody finds a document without it. */
  async place(key: string, version: string, value: Uint8Array): Promise<Uint8Array | FileBody> {
    if (!this.#bodies?.takes(value)) return value
    await this.#bodies.write(version, key, value)
    return { length: value.byteLength }
  }

  /** Nothing where not all of it is there. */
  async read({ version, value }: Found): Promise<Uint8Array | undefined> {
    return value instanceof Uint8Array ? value : this.#bodies?.read(version, value.length)
  }

  async removeFilesOf(documents: readonly unknown[]): Promise<void> {
    const versions = documents.flatMap(versionOfFile)
    if (versions.length > 0) await this.#bodies?.remove(versions)
  }
}

function versionOfFile(document: unknown): string[] {
  const { version, value } = (document ?? {}) as { version?: unknown; value?: unknown }
  const { length } = (value ?? {}) as { length?: unknown }
  const isFile = !(value instanceof Uint8Array) && typeof length === 'number'
  return isFile && typeof version === 'string' ? [version] : []
}
