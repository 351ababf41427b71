import { verdictOf } from '../cache-verdict.ts'
import type { Call } from '../calls.ts'
import { html, type Html } from '../html.ts'
import { lifeOf, milliseconds } from '../time.ts'

/** What the panel tells. `expiresAt`: of the access token, epoch ms. */
export interface PanelContent {
  calls: readonly Call[]
  earlier: readonly Call[]
  expiresAt: number | undefined
}

/** What it took to make this page: the token's life and every upstream call. */
export function callsPanel({ calls, earlier, expiresAt }: PanelContent): Html {
  const hits = calls.filter((call) => verdictOf(call).kind === 'hit').length
  return html`<aside class="card panel" aria-labelledby="panel">
    <h2 id="panel">Behind this page</h2>
    <dl class="sums">
      <div>
        <dt>API calls</dt>
        <dd>${calls.length}</dd>
      </div>
      <div>
        <dt>From the cache</dt>
        <dd>${hits}</dd>
      </div>
      <div>
        <dt>Access token</dt>
        <dd>${tokenLife(expiresAt)}</dd>
      </div>
    </dl>
    <ol class="calls">
      ${calls.map(callItem)}
    </ol>
    <p class="note">
      ${hits === 0 ? 'Reload the page: what may be cached is not fetched again.' : reloaded}
    </p>
    ${earlier.length > 0 ? earlierCalls(earlier) : undefined}
  </aside>`
}

const reloaded = 'Hits never left the server. Likes are always asked for anew: no rule caches them.'

function tokenLife(expiresAt: number | undefined): Html {
  if (expiresAt === undefined) return html`no end`
  const seconds = (expiresAt - Date.now()) / 1000
  return seconds > 0 ? html`${lifeOf(seconds)} left` : html`expired`
}

function callItem(call: Call): Html {
  const { kind, label, detail } = verdictOf(call)
  return html`<li class="call">
    <p class="request"><b>${call.method}</b> <code>${breakable(call.url)}</code></p>
    <p class="verdict"><span class="badge ${kind}">${label}</span> ${detail}</p>
    <dl>
      <div>
        <dt>Status</dt>
        <dd>${call.status ?? 'none'}</dd>
      </div>
      <div>
        <dt>Duration</dt>
        <dd>${milliseconds(call.duration)}</dd>
      </div>
      <div>
        <dt>Partition</dt>
        <dd><code>${call.grant}</code></dd>
      </div>
    </dl>
  </li>`
}

function earlierCalls(calls: readonly Call[]): Html {
  return html`<details>
    <summary>Before this page</summary>
    <ol class="earlier">
      ${calls.map(earlierItem)}
    </ol>
  </details>`
}

function earlierItem(call: Call): Html {
  const { method, url, duration } = call
  const { kind, label } = verdictOf(call)
  return html`<li>
    <span class="badge ${kind}">${label}</span>
    <span class="request"><b>${method}</b> <code>${breakable(url)}</code></span>
    <span class="length">${milliseconds(duration)}</span>
  </li>`
}

/** Lets a long URL break before its separators. */
function breakable(url: string): Html[] {
  return url
    .split(/(?=[/?&])/)
    .map((part, index) => (index === 0 ? html`${part}` : html`<wbr />${part}`))
}
