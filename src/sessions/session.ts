import { randomBytes } from 'node:crypto'
import type { TokenPlace } from './token-place.ts'

/**
 * What a visitor's session holds: the name of what belongs to it, and a proof that changes with
 * every login. Neither says anything about a token.
 */
export interface SessionHandle {
  id: string
  proof: string
}

/** Where a visitor's handle is carried. */
export interface Session {
  read(): SessionHandle | undefined
  /** Gives the visitor a session id that nobody knew before, with this handle in it, and saves it. */
  renew(handle: SessionHandle): Promise<void>
  /** Ends the session. */
  end(): Promise<void>
  /** The place for token records that the session itself has. */
  readonly tokens?: TokenPlace | undefined
}

/** 128 bits that name, 192 bits that prove. */
export function newHandle(id: string = randomText(16)): SessionHandle {
  return { id, proof: randomText(24) }
}

/** The handle as text. */
export function formatHandle({ id, proof }: SessionHandle): string {
  return `${id}.${proof}`
}

/** `undefined` for whatever is not a handle. */
export function parseHandle(text: unknown): SessionHandle | undefined {
  if (typeof text !== 'string') return undefined
  const [, id, proof] = /^([\w-]{22})\.([\w-]{32})$/.exec(text) ?? []
  return id !== undefined && proof !== undefined ? { id, proof } : undefined
}

function randomText(bytes: number): string {
  return randomBytes(bytes).toString('base64url')
}
