import { Recent } from '../../recent.ts'

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const time = String.raw`(\d\d):(\d\d):(\d\d)`
const day = '(?:mon|tue|wed|thu|fri|sat|sun)'
const longDay = '(?:mon|tues|wednes|thurs|fri|satur|sun)day'

const usual = new RegExp(String.raw`^${day}, (\d\d) ([a-z]{3}) (\d{4}) ${time} gmt$`, 'i')
const rfc850 = new RegExp(String.raw`^${longDay}, (\d\d)-([a-z]{3})-(\d\d) ${time} gmt$`, 'i')
const asctime = new RegExp(String.raw`^${day} ([a-z]{3}) ([ \d]\d) ${time} (\d{4})$`, 'i')

/**
 * The instant of an HTTP date (RFC 9110 section 5.6.7) in epoch ms, in each of its three forms and in
 * any case; `undefined` for whatever else there is: what `Date.parse` makes of that is a guess.
 */
export function parseHttpDate(text: string | null): number | undefined {
  if (text === null) return undefined
  const known = recent.get(text)
  if (known !== undefined) return known
  const at = parsed(text)
  if (at !== undefined) recent.set(text, at)
  return at
}

/** All replies of a second carry the same Date. */
const recent = new Recent<number>(20)

function parsed(text: string): number | undefined {
  const fixed = usual.exec(text)
  if (fixed) return instant(fixed[3]!, fixed[2]!, fixed[1]!, fixed.slice(4))
  const old = rfc850.exec(text)
  if (old) return instant(century(old[3]!), old[2]!, old[1]!, old.slice(4))
  const unix = asctime.exec(text)
  return unix ? instant(unix[6]!, unix[1]!, unix[2]!, unix.slice(3, 6)) : undefined
}

/** A year of two digits that seems more than 50 years ahead is of the past. */
function century(digits: string): string {
  const now = new Date().getUTCFullYear()
  const year = Math.floor(now / 100) * 100 + Number(digits)
  return String(year > now + 50 ? year - 100 : year)
}

function instant(
  year: string,
  monthName: string,
  dayOfMonth: string,
  clock: readonly string[],
): number | undefined {
  const month = months.indexOf(monthName.toLowerCase())
  const [hours, minutes, seconds] = clock.map(Number) as [number, number, number]
  // 60 is a leap second.
  if (month < 0 || hours > 23 || minutes > 59 || seconds > 60) return undefined
  const date = new Date(0)
  date.setUTCFullYear(Number(year), month, Number(dayOfMonth))
  // A day that the month does not have has become another one.
  if (date.getUTCDate() !== Number(dayOfMonth)) return undefined
  return date.setUTCHours(hours, minutes, seconds)
}
