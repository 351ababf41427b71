import { createHash } from 'node:crypto'
import { refusal } from './connection.ts'
import type { Argument, RedisConnection } from './connection.ts'

/** A Lua script on one key: atomic on the server, and on one slot of a cluster. */
export class Script {
  readonly #source: string
  readonly #sha: string

  constructor(...parts: string[]) {
    this.#source = parts.join('\n')
    this.#sha = createHash('sha1').update(this.#source).digest('hex')
  }

  /** Sends the script itself only where the server does not know it: at first and after restarts. */
  async run(connection: RedisConnection, key: string, args: readonly Argument[]): Promise<unknown> {
    try {
      return await connection.call(key, 'evalsha', [this.#sha, '1', key, ...args])
    } catch (error) {
      if (refusal(error) !== 'NOSCRIPT') throw error
      return connection.call(key, 'eval', [this.#source, '1', key, ...args])
    }
  }
}

/** `lives` is in milliseconds: below 0 for ever, 0 stores nothing. */
const clock = String.raw`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function deadlineOf(record)
  if #record < 29 or not string.find(record, '^[\1\2]') then return nil end
  local length, deadline = struct.unpack('>I4d', record, 18)
  if length == #record - 29 and deadline >= 0 then return deadline end
end

local function withDeadline(record, lives)
  local deadline = lives < 0 and 0 or now + lives
  return '\2' .. string.sub(record, 2, 21) .. struct.pack('>d', deadline) .. string.sub(record, 30)
end
`

/** ARGV[1] is the key's check, ARGV[2] the layout's. Whoever meets what has expired removes it. */
const record = String.raw`
local record = fetch()
local deadline = type(record) == 'string' and deadlineOf(record)
if not deadline or string.sub(record, 14, 17) ~= ARGV[1] then
  record = nil
elseif deadline > 0 and deadline <= now then
  record = nil
  pcall(remove)
end
`

/** ARGV[2] is 1 where the server may drop what has a ttl of its own, so that it gets none. */
const keyLayout = String.raw`
local byDeadline = ARGV[2] == '1'
local function fetch() return redis.pcall('GET', KEYS[1]) end
local function remove() return redis.call('UNLINK', KEYS[1]) end
local function store(record, lives, byDeadline)
  if lives == 0 then remove()
  elseif byDeadline then redis.call('SET', KEYS[1], withDeadline(record, lives))
  elseif lives < 0 then redis.call('SET', KEYS[1], record)
  else redis.call('SET', KEYS[1], record, 'PX', lives) end
end
local function left(record, deadline)
  if deadline > 0 then return deadline - now end
  local ttl = redis.call('PTTL', KEYS[1])
  return ttl == 0 and 1 or ttl
end
local function outlive(record, lives)
  if string.byte(record) == 2 then store(record, lives, true)
  elseif lives < 0 then redis.call('PERSIST', KEYS[1])
  else redis.call('PEXPIRE', KEYS[1], lives) end
end
`

/** ARGV[2] is the field. */
const hashLayout = String.raw`
local byDeadline = true
local function fetch() return redis.call('HGET', KEYS[1], ARGV[2]) end
local function remove() return redis.call('HDEL', KEYS[1], ARGV[2]) end
local function store(record, lives)
  if lives == 0 then remove()
  else redis.call('HSET', KEYS[1], ARGV[2], withDeadline(record, lives)) end
end
local function left(record, deadline) return deadline > 0 and deadline - now or -1 end
local outlive = store
`

function recordScripts(layout: string) {
  const script = (body: string) => new Script(clock, layout, record, body)
  return {
    /** Gives the record. */
    get: script('return record'),
    /** ARGV: record, lives. Needs nothing of what was there. */
    set: new Script(clock, layout, 'store(ARGV[3], tonumber(ARGV[4]), byDeadline)'),
    /**
     * ARGV: expected version or '', record, lives. Tells whether it wrote; also when it is sent a
     * second time, as drivers do whose connection broke before the reply, unless another writer came
     * in between.
     */
    compareAndSwap: script(`
local version = record and string.sub(record, 2, 13) or ''
if version == string.sub(ARGV[4], 2, 13) then return 1 end
if version ~= ARGV[3] then return 0 end
store(ARGV[4], tonumber(ARGV[5]), byDeadline)
return 1`),
    /** ARGV: expected version. */
    compareAndDelete: script(`
if not record or string.sub(record, 2, 13) ~= ARGV[3] then return 0 end
remove()
return 1`),
    /** Tells whether there was something; what is not ours goes too. */
    delete: script(`
remove()
return record and 1 or 0`),
    /**
     * ARGV: by, empty record, lives. Gives the digits, or nothing for what cannot be counted. Sent
     * a second time it gives the same digits; but it adds again where another writer came in between.
     */
    increment: script(`
local old = record and string.sub(record, 30) or '0'
if record and string.sub(record, 2, 13) == string.sub(ARGV[4], 2, 13) then return old end
if #old > 17 or not string.find(old, '^-?%d+$') then return nil end
local sum = tonumber(old) + tonumber(ARGV[3])
local largest = 9007199254740991
if math.abs(tonumber(old)) > largest or math.abs(sum) > largest then return nil end
local digits = string.format('%.0f', sum)
local counter = string.sub(ARGV[4], 1, 17) .. struct.pack('>I4', #digits) .. string.sub(ARGV[4], 22) .. digits
if record then store(counter, left(record, deadline), byDeadline or string.byte(record) == 2)
else store(counter, tonumber(ARGV[5]), byDeadline) end
return digits`),
    /** Gives the milliseconds that are left, -1 for ever, -2 for what is absent. */
    ttl: script('return record and left(record, deadline) or -2'),
    /** ARGV: lives. Tells whether there was something. */
    expire: script(`
if not record then return 0 end
local lives = tonumber(ARGV[3])
if lives == 0 then remove() else outlive(record, lives) end
return 1`),
  }
}

/** The scripts of one layout. */
export type RecordScripts = ReturnType<typeof recordScripts>

/** The scripts where each record has a Redis key of its own. */
export const keyScripts: RecordScripts = recordScripts(keyLayout)

/** The scripts where all records are fields of one hash. */
export const hashScripts: RecordScripts = recordScripts(hashLayout)

/** ARGV: fields. Gives their records, of which the caller checks that they are the right ones. */
export const hashGetMany: Script = new Script(
  clock,
  `
local records = redis.call('HMGET', KEYS[1], unpack(ARGV))
for i = 1, #records do
  local deadline = records[i] and deadlineOf(records[i])
  if not deadline or (deadline > 0 and deadline <= now) then records[i] = false end
end
return records`,
)

/**
 * ARGV: cursor, pattern, how many to look at. Gives the next cursor and the fields whose records
 * live; removes those that have expired.
 */
export const hashScan: Script = new Script(
  clock,
  `
local page = redis.call('HSCAN', KEYS[1], ARGV[1], 'MATCH', ARGV[2], 'COUNT', ARGV[3])
local fields = {}
for i = 1, #page[2], 2 do
  local deadline = deadlineOf(page[2][i + 1])
  if deadline and deadline > 0 and deadline <= now then
    redis.pcall('HDEL', KEYS[1], page[2][i])
  else
    fields[#fields + 1] = page[2][i]
  end
end
return { page[1], fields }`,
)
