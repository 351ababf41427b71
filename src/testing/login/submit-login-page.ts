import { withoutQuery } from './login-route.ts'

/** Presses a button on the test provider's login page; gives the URL of the app's callback. */
export async function submitLoginPage(
  authorizationRequest: string,
  { user, cancel = false }: { user: string; cancel?: boolean | undefined },
): Promise<string> {
  const shown = await fetch(authorizationRequest, { redirect: 'manual' })
  checkNotAnswered(shown)
  if (shown.status !== 200) {
    throw new Error(
      `loginAs: the provider refused the authorization request with ${shown.status}: ` +
        reasonIn(await shown.text()),
    )
  }
  const body = new URLSearchParams(cancel ? { cancel: 'cancel' } : { user })
  const pressed = await fetch(authorizationRequest, { method: 'POST', body, redirect: 'manual' })
  const location = pressed.headers.get('location')
  if (location === null) {
    throw new Error(
      `loginAs: the login page of ${withoutQuery(authorizationRequest)} did not take the user ` +
        `"${user}": it answered ${pressed.status}, ${reasonIn(await pressed.text())}`,
    )
  }
  return location
}

/** What is wrong with an authorization request comes back without a login page. */
function checkNotAnswered({ status, headers }: Response): void {
  const location = headers.get('location')
  if (location === null) return
  const { searchParams } = new URL(location)
  const error = searchParams.get('error') ?? 'no error'
  const description = searchParams.get('error_description') ?? 'no description'
  throw new Error(
    `loginAs: the provider answered the authorization request at once with ${status}: ` +
      `${error} (${description}).`,
  )
}

function reasonIn(page: string): string {
  const reason = /<p id="reason">([^<]*)/.exec(page)?.[1] ?? 'no reason was given.'
  return reason.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
}
