/**
 * Which of the servers a name belongs to: the one whose score for it is the highest (rendezvous
 * hashing). It depends on neither their order nor their health, and another server takes over only
 * what becomes its own.
 */
export class Distribution<Server> {
  readonly #servers: ReadonlyArray<{ server: Server; hash: number }>

  constructor(servers: ReadonlyArray<readonly [address: string, server: Server]>) {
    this.#servers = servers.map(([address, server]) => ({ server, hash: hashOf(address) }))
  }

  serverOf(name: string): Server {
    const [first, ...others] = this.#servers
    if (!first) throw new RangeError('There is no server.')
    if (others.length === 0) return first.server
    const hash = hashOf(name)
    let best = first
    for (const other of others) {
      if (scramble(hash ^ other.hash) > scramble(hash ^ best.hash)) best = other
    }
    return best.server
  }
}

/** FNV-1a, 32 bits. Names are ASCII. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  }
  return hash
}

/** Lets every bit depend on every other: what differs a little must not end up close together. */
function scramble(bits: number): number {
  let hash = bits
  for (let round = 0; round < 3; round += 1) hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return (hash ^ (hash >>> 16)) >>> 0
}
