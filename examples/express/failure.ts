import { BehalfError } from 'behalf'

/** What the error page says. */
export interface Failure {
  status: number
  code: string
  title: string
  message: string
  /** Where logging in mends it. */
  loginUrl: string | undefined
}

/**
 * What is said of an error. The messages of behalf are for developers, which suits a demo, and hold
 * no secret; of other errors nothing is shown.
 */
export function failureOf(error: unknown): Failure {
  if (error instanceof BehalfError) {
    const { code, message, status } = error
    const loginUrl = 'loginUrl' in error ? (error.loginUrl as string | undefined) : undefined
    return loginUrl === undefined
      ? { status, code, title: 'That did not work', message, loginUrl }
      : { status, code, ...loginEnded, loginUrl }
  }
  const { status } = error as { status?: unknown }
  if (typeof status === 'number' && status >= 400 && status < 500) return badRequest(status)
  return {
    status: 500,
    code: 'internal_error',
    title: 'Something broke',
    message: 'The app failed. Its log says why.',
    loginUrl: undefined,
  }
}

const loginEnded = {
  title: 'Please log in again',
  message: 'Your login has ended, or it does not allow what you tried.',
}

/** A page that is not there, or a request that makes no sense. */
export function badRequest(status: number): Failure {
  const missing = status === 404
  return {
    status,
    code: missing ? 'not_found' : 'bad_request',
    title: missing ? 'Nothing here' : 'That request makes no sense',
    message: missing ? 'This app has no such page.' : 'Go back and try it from the page.',
    loginUrl: undefined,
  }
}

/** A login that did not end in one: `code` is what behalf adds to the address of `errorPage`. */
export function failedLogin(code: string, loginUrl: string): Failure {
  const known = Object.hasOwn(loginFailures, code) ? loginFailures[code] : undefined
  const { title, message } = known ?? {
    title: 'The login did not work',
    message: 'Something went wrong on the way back. Try it once more.',
  }
  return { status: 400, code: known ? code : 'login_failed', title, message, loginUrl }
}

const unfinished = {
  title: 'That login was not yours to finish',
  message: 'It was begun in another tab or browser, or too long ago. Start again from here.',
}

const loginFailures: Readonly<Record<string, { title: string; message: string }>> = {
  access_denied: {
    title: 'You said no, and that is fine',
    message: 'The login was cancelled. Nothing was stored.',
  },
  provider_unavailable: {
    title: 'The login service is out of reach',
    message: 'It did not answer in time. Wait a moment and try again.',
  },
  client_misconfigured: {
    title: 'The login service does not know this app',
    message: 'Check the client id, the client secret and the registered redirect URI.',
  },
  state_missing: unfinished,
  state_unknown: unfinished,
  state_expired: unfinished,
  state_replayed: unfinished,
}
