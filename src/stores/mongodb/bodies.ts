/** Keeps the values that are too large for their documents, each under the version of its write. */
export interface Bodies {
  takes(value: Uint8Array): boolean
  write(version: string, key: string, value: Uint8Array): Promise<void>
  /** Nothing where not all of it is there. */
  read(version: string, length: number): Promise<Uint8Array | undefined>
  /** Removes what belongs to these versions; what it cannot remove is left to a sweep. */
  remove(versions: readonly string[]): Promise<void>
}
