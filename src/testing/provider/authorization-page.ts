import type { AuthorizationRequest } from './authorization-requests.ts'
import { html, Html } from '../server/html.ts'
import type { ProtocolError } from './protocol-error.ts'
import type { CompleteTestUser } from './test-users.ts'

/**
 * The login page: one button per user (`button[name=user]`, its value the user's id) and one to
 * cancel (`button[name=cancel]`), in a form that posts to `action`.
 */
export function authorizationPage(
  { client, scope, loginHint }: AuthorizationRequest,
  users: readonly CompleteTestUser[],
  action: string,
): Html {
  const name = client.name ?? client.clientId
  const hinted = (user: CompleteTestUser) => user.id === loginHint || user.email === loginHint
  const sorted = users.toSorted((a, b) => Number(hinted(b)) - Number(hinted(a)))
  return document(
    `Log in to ${name}`,
    html`<p class="badge">Test provider</p>
      <h1>Log in to <strong>${name}</strong></h1>
      <p class="client">Client id <code>${client.clientId}</code></p>
      ${requestedScope(name, scope)}
      <form method="post" action="${action}">
        <h2>Continue as</h2>
        ${sorted.map((user) => userButton(user))}
        <button class="cancel" name="cancel" value="cancel">Cancel</button>
      </form>
      <p class="hint">Nobody here is real, and no password is needed.</p>`,
  )
}

/** Says why an authorization request goes nowhere; `#reason` holds the reason. */
export function refusalPage(problem: ProtocolError): Html {
  return document(
    'This login cannot go on',
    html`<p class="badge">Test provider</p>
      <h1>This login cannot go on</h1>
      <p id="reason">${problem.message} (${problem.error}).</p>
      <p class="hint">
        The browser was not sent back, because the app that asked cannot be trusted.
      </p>`,
  )
}

function requestedScope(name: string, scope: readonly string[]): Html {
  if (scope.length === 0) return html`<p>${name} asks for no scope in particular.</p>`
  return html`<h2 id="scope">${name} asks for</h2>
    <ul aria-labelledby="scope">
      ${scope.map((word) => html`<li><code>${word}</code></li>`)}
    </ul>`
}

function userButton({ id, name, email, avatar }: CompleteTestUser): Html {
  return html`<button class="user" name="user" value="${id}">
    <img src="${avatar}" alt="" width="44" height="44" />
    <span><b>${name}</b><small>${email}</small></span>
  </button> `
}

function document(title: string, content: Html): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <style>
          ${style}
        </style>
      </head>
      <body>
        <main>${content}</main>
      </body>
    </html> `
}

const style = new Html(`
:root { color-scheme: light dark; --ink: #16181d; --soft: #5a6070; --line: #d9dce3;
  --card: #fff; --page: #eef0f5; --accent: #4b49d6 }
@media (prefers-color-scheme: dark) { :root { --ink: #eef0f6; --soft: #a3a9b8; --line: #363b48;
  --card: #1c1f27; --page: #111318; --accent: #a5a3ff } }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 24px 16px;
  background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif }
main { width: 100%; max-width: 420px; padding: 28px; background: var(--card);
  border: 1px solid var(--line); border-radius: 18px; box-shadow: 0 12px 40px #0001 }
.badge { display: inline-block; margin: 0; padding: 2px 10px; border-radius: 99px;
  border: 1px solid var(--accent); color: var(--accent); font-size: 13px; font-weight: 600 }
h1 { margin: 14px 0 2px; font-size: 24px; line-height: 1.25; font-weight: 500;
  overflow-wrap: anywhere }
h2 { margin: 22px 0 8px; font-size: 14px; color: var(--soft); font-weight: 600;
  overflow-wrap: anywhere }
.client, .hint { margin: 0; color: var(--soft); font-size: 14px; overflow-wrap: anywhere }
.hint { margin-top: 18px }
code { font: 13px ui-monospace, monospace }
ul { display: flex; flex-wrap: wrap; gap: 6px; margin: 0; padding: 0; list-style: none }
li { padding: 2px 9px; border-radius: 8px; background: var(--page); overflow-wrap: anywhere }
button { width: 100%; font: inherit; color: inherit; background: none; cursor: pointer;
  border: 1px solid var(--line); border-radius: 12px }
button:hover { border-color: var(--accent); background: var(--page) }
button:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
.user { display: flex; align-items: center; gap: 14px; margin-bottom: 8px; padding: 9px 12px;
  text-align: left }
.user img { border-radius: 50% }
.user b, .user small { display: block; line-height: 1.35 }
.user small { color: var(--soft); font-size: 13px }
.cancel { margin-top: 6px; padding: 10px }
#reason { overflow-wrap: anywhere }
`)
