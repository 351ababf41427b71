import { crc32 } from 'node:zlib'
import type { StoredValue } from '../store.ts'
import { putVersion, versionBytes } from '../version.ts'

/**
 * What is stored under a key: 29 bytes of head, then the value.
 *
 *     0      format: 1 lives as long as the server's own ttl says, 2 until its deadline
 *     1-12   version
 *     13-16  CRC-32 of the full Redis key, so that what was copied from another key is a miss
 *     17-20  length of the value, so that what was cut off is a miss
 *     21-28  deadline: epoch milliseconds of the server's clock as a double, 0 for none
 *
 * All numbers are big-endian. The scripts in scripts.ts read and write the same.
 */
const headBytes = 29

/** Makes the bytes of a new record of format 1, with a copy of `value`. */
export function makeRecord(check: number, value: Uint8Array): Buffer {
  const record = Buffer.allocUnsafe(headBytes + value.byteLength)
  record[0] = 1
  putVersion(record, 1)
  record.writeUInt32BE(check, 13)
  record.writeUInt32BE(value.byteLength, 17)
  record.fill(0, 21, headBytes)
  record.set(value, headBytes)
  return record
}

/** Gives `undefined` for what is no record of the key that `check` belongs to. */
export function readRecord(reply: unknown, check: number): StoredValue | undefined {
  if (!Buffer.isBuffer(reply) || reply.byteLength < headBytes) return undefined
  if (reply[0] !== 1 && reply[0] !== 2) return undefined
  if (reply.readUInt32BE(13) !== check) return undefined
  if (reply.readUInt32BE(17) !== reply.byteLength - headBytes) return undefined
  return { value: reply.subarray(headBytes), version: versionOf(reply) }
}

/** Whether only the server, whose clock it is, can tell if the record has expired. */
export function hasDeadline(reply: unknown): boolean {
  return Buffer.isBuffer(reply) && reply[0] === 2
}

/** The version of a record. */
export function versionOf(record: Buffer): string {
  return record.toString('base64url', 1, 1 + versionBytes)
}

/** The bytes of a version, or `undefined` for what is none of ours and can match nothing. */
export function versionBytesOf(version: string): Buffer | undefined {
  return /^[\w-]{16}$/.test(version) ? Buffer.from(version, 'base64url') : undefined
}

/** The check of a key, as a number and as the scripts take it. */
export function checkOf(redisKey: string): number {
  return crc32(redisKey)
}

/** The four bytes of a check. */
export function checkBytes(check: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt32BE(check)
  return bytes
}
