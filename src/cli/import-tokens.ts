import { readFileSync } from 'node:fs'
import { BehalfError, StoreUnavailableError } from '../errors.ts'
import type { KeyRing } from '../key-ring.ts'
import { keyRingFrom } from '../middleware/secret.ts'
import { userOwner } from '../oauth/grant-owner.ts'
import {
  importedRecord,
  type ImportedTokens,
  type ImportingProvider,
} from '../oauth/imported-tokens.ts'
import { spotify } from '../oauth/providers/index.ts'
import { TokenRecords } from '../oauth/token-records.ts'
import { createStore } from '../stores/create-store.ts'
import { guarded } from '../stores/guarded.ts'
import { checkNamespace } from '../stores/limits.ts'
import { readAll } from './arguments.ts'
import { UsageError } from './usage-error.ts'

/** Seconds that a store may take for one operation: nobody is waiting for a page here. */
const deadline = { read: 10, write: 10 }

/** Presets that know how long their refresh tokens live. */
const presets: Readonly<Record<string, ImportingProvider['definition']>> = {
  spotify: spotify({ clientId: 'none' }),
}

type Row = ImportedTokens & { userId?: unknown; provider?: unknown }

/** `behalf import PROVIDER FILE`: moves tokens that others have kept to the store. */
export async function importTokens(args: string[]): Promise<void> {
  const names = ['store', 'user', 'namespace'] as const
  const { options, positionals } = readAll(args, names, ['PROVIDER', 'FILE'])
  const [name, file] = positionals as [string, string]
  const rows = rowsOf(file)
  const url = options.store ?? process.env['BEHALF_STORE']
  if (url === undefined) throw new UsageError('give --store URL, or set BEHALF_STORE.')
  const provider = { name, scope: [], definition: presets[name] ?? {} }
  try {
    const namespace = checkNamespace('--namespace', options.namespace ?? 'behalf')
    const keyRing = await secrets()
    const store = createStore(url)
    if (store.reach === 'process') throw new UsageError('--store must outlive this command.')
    try {
      const limited = guarded(store, { name: 'token store', deadline })
      const records = new TokenRecords(limited, keyRing, namespace)
      const counts = await moveOver(records, provider, rows, options.user)
      process.stdout.write(`${report(counts, rows.length)}\n`)
      if (counts.unusable > 0) process.exitCode = 1
    } finally {
      await store.close()
    }
  } catch (error) {
    if (error instanceof BehalfError) throw new UsageError(error.message, 1)
    throw error
  }
}

/** Databases number their users; whatever else is no id. */
function idOf(userId: unknown): unknown {
  return Number.isSafeInteger(userId) ? String(userId) : userId
}

interface Counts {
  imported: number
  there: number
  others: number
  unusable: number
}

async function moveOver(
  records: TokenRecords,
  provider: ImportingProvider,
  rows: readonly Row[],
  user: string | undefined,
): Promise<Counts> {
  const counts: Counts = { imported: 0, there: 0, others: 0, unusable: 0 }
  for (const [index, row] of rows.entries()) {
    if (typeof row.provider === 'string' && row.provider !== provider.name) {
      counts.others += 1
      continue
    }
    try {
      const owner = userOwner(row.userId === undefined ? user : idOf(row.userId))
      const record = importedRecord(provider, row)
      const there = await records.add(owner, provider.name, record)
      counts[there.record.grantId === record.grantId ? 'imported' : 'there'] += 1
    } catch (error) {
      if (error instanceof StoreUnavailableError) throw error
      counts.unusable += 1
      const message = error instanceof BehalfError ? error.message : 'it is no row of tokens.'
      process.stderr.write(`row ${index + 1}: ${message}\n`)
    }
    if ((index + 1) % 1_000 === 0) process.stderr.write(`${index + 1} of ${rows.length}\n`)
  }
  return counts
}

function report({ imported, there, others, unusable }: Counts, all: number): string {
  const parts = [
    `${imported} imported`,
    `${there} already there`,
    `${others} of other providers`,
    `${unusable} unusable`,
  ]
  return `${all} rows: ${parts.join(', ')}.`
}

/** A message of JSON.parse quotes what it could not read: it is left out. */
function rowsOf(file: string): Row[] {
  let text: string
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8')
  } catch (error) {
    throw new UsageError(`cannot read ${file} (${(error as NodeJS.ErrnoException).code}).`, 1)
  }
  try {
    const value: unknown = JSON.parse(text)
    const rows = Array.isArray(value) ? value : [value]
    if (rows.every((row) => typeof row === 'object' && row !== null)) return rows as Row[]
  } catch {
    // Told below.
  }
  throw new UsageError(`${file} holds no JSON object, and no list of them.`, 1)
}

async function secrets(): Promise<KeyRing> {
  const found = keyRingFrom(process.env['BEHALF_SECRET'], false)
  return typeof found === 'function' ? found() : found
}
