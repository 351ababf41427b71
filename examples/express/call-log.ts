import { styleText } from 'node:util'
import type { BehalfEvent } from 'behalf'
import { type Verdict, verdictOf } from './cache-verdict.ts'
import { milliseconds } from './time.ts'

const colours = {
  hit: 'green',
  stored: 'yellow',
  miss: 'yellow',
  bypass: 'blue',
  failed: 'red',
} as const
const urlWidth = 40

/** One readable line for an event of behalf, with colours where they can be seen. */
export function logLine(event: BehalfEvent, now: Date, coloured: boolean): string {
  const time = now.toTimeString().slice(0, 8)
  const dim = (text: string) => (coloured ? styleText('dim', text) : text)
  const bold = (text: string) => (coloured ? styleText('bold', text) : text)
  if (event.type !== 'upstream') return `${dim(time)}  ${bold(sentence(event))}`
  const verdict = verdictOf(event)
  const columns = [
    dim(time),
    bold(event.method.padEnd(6)),
    event.url.padEnd(urlWidth),
    String(event.status ?? event.code),
    coloured ? styleText(colours[verdict.kind], short(verdict)) : short(verdict),
    milliseconds(event.duration).padStart(7),
    dim(`partition ${event.grant}`),
  ]
  return columns.join('  ')
}

function short({ kind, label }: Verdict): string {
  return (kind === 'stored' ? 'miss, stored' : label).padEnd('miss, stored'.length)
}

function sentence(event: Exclude<BehalfEvent, { type: 'upstream' }>): string {
  switch (event.type) {
    case 'login':
      return `login at ${event.provider}, partition ${event.grant}`
    case 'login_failed':
      return `login at ${event.provider} failed: ${event.reason ?? event.code}`
    case 'logout':
      return `logout at ${event.provider}, partition ${event.grant}`
    case 'refresh':
      return `tokens refreshed in ${milliseconds(event.duration)}, partition ${event.grant}`
    case 'refresh_failed':
      return `refresh failed: ${event.code}, partition ${event.grant}`
    case 'throttled':
      return `${event.provider} answered ${event.status}: ${event.retried ? 'again' : 'not again'} in ${event.wait} s`
    case 'reauth_required':
      return `the grant at ${event.provider} has ended: ${event.reason}, partition ${event.grant}`
    case 'refresh_started':
    case 'refresh_shared':
    case 'refresh_recovered':
    case 'lease_wait':
    case 'lease_lost':
    case 'reuse_suspected':
      return `${event.type.replaceAll('_', ' ')} at ${event.provider}, partition ${event.grant}`
  }
}
