import { verdictOf } from '../../express/cache-verdict.ts'
import { lifeOf, milliseconds } from '../../express/time.ts'
import type { Call } from '../lib/calls.ts'

/** What it took to make this page: the token's life and every upstream call. */
export function CallsPanel({
  calls,
  expiresAt,
}: {
  calls: readonly Call[]
  expiresAt: number | undefined
}) {
  const hits = calls.filter((call) => verdictOf(call).kind === 'hit').length
  return (
    <aside className="card panel" aria-labelledby="panel">
      <h2 id="panel">Behind this page</h2>
      <dl className="sums">
        <Sum name="API calls" value={calls.length} />
        <Sum name="From the cache" value={hits} />
        <Sum name="Access token" value={tokenLife(expiresAt)} />
      </dl>
      <ol className="calls">
        {calls.map((call) => (
          <CallItem key={call.url} call={call} />
        ))}
      </ol>
      <p className="note">
        {hits === 0
          ? 'Reload the page: what may be cached is not fetched again.'
          : 'Hits never left the server. Likes are always asked for anew: no rule caches them.'}
      </p>
    </aside>
  )
}

function Sum({ name, value }: { name: string; value: string | number }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  )
}

function tokenLife(expiresAt: number | undefined): string {
  if (expiresAt === undefined) return 'no end'
  const seconds = (expiresAt - Date.now()) / 1000
  return seconds > 0 ? `${lifeOf(seconds)} left` : 'expired'
}

function CallItem({ call }: { call: Call }) {
  const { kind, label, detail } = verdictOf(call)
  const facts = [
    ['Status', call.status ?? 'none'],
    ['Duration', milliseconds(call.duration)],
    ['Partition', call.grant],
  ] as const
  return (
    <li className="call">
      <p className="request">
        <b>{call.method}</b> <code>{call.url}</code>
      </p>
      <p className="verdict">
        <span className={`badge ${kind}`}>{label}</span> {detail}
      </p>
      <dl>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </li>
  )
}
