/** What the user does on the pages. */
export interface PagesVisit {
  user: string
  /** Says no instead, on the first page. */
  cancel?: boolean
}

/** What the user of a device does. */
export interface DeviceVisit {
  user: string
  code: string
  /** Says no where the code is confirmed. */
  cancel?: boolean
}

/** Where the pages led to, and which of them were shown: `login`, `consent`. */
export interface PagesOutcome {
  callback: URL
  shown: string[]
}

const maxSteps = 20

/** A browser at oidc-provider's own pages: fetch with a cookie jar. */
export class OidcBrowser {
  readonly #cookies = new Map<string, string>()

  /**
   * Follows an authorization request over the server's pages until it leads back to the app;
   * whoever has logged in there before is not asked again.
   */
  async visit(authorizationRequest: string, { user, cancel }: PagesVisit): Promise<PagesOutcome> {
    const home = new URL(authorizationRequest).origin
    const shown: string[] = []
    let reply = await this.#open(authorizationRequest)
    for (let step = 0; step < maxSteps; step += 1) {
      const location = reply.headers.get('location')
      if (location !== null) {
        const target = new URL(location, reply.url)
        if (target.origin !== home) return { callback: target, shown }
        reply = await this.#open(target.href)
        continue
      }
      const page = await reply.text()
      const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1]
      const action = /action="([^"]+)"/.exec(page)?.[1]
      if (prompt === undefined || action === undefined) {
        throw new Error(`oidc-provider answered ${reply.status} without a form.`)
      }
      shown.push(prompt)
      reply = cancel
        ? await this.#open(`${action}/abort`)
        : await this.#open(action, { prompt, login: user, password: 'any' })
    }
    throw new Error(`oidc-provider has not led back to the app in ${maxSteps} steps.`)
  }

  /** Enters a device's code as its user would; gives the pages that were shown. */
  async enterCode(verificationUri: string, { user, code, cancel }: DeviceVisit): Promise<string[]> {
    const shown: string[] = []
    let reply = await this.#open(verificationUri)
    for (let step = 0; step < maxSteps; step += 1) {
      const location = reply.headers.get('location')
      if (location !== null) {
        reply = await this.#open(new URL(location, reply.url || verificationUri).href)
        continue
      }
      const page = await reply.text()
      const action = /action="([^"]+)"/.exec(page)?.[1]
      if (action === undefined) return shown
      const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1]
      const xsrf = /name="xsrf" value="([^"]+)"/.exec(page)?.[1] ?? ''
      const confirms = page.includes('name="confirm"')
      shown.push(prompt ?? (confirms ? 'confirm' : 'code'))
      const answer = confirms ? { confirm: 'yes', ...(cancel ? { abort: 'yes' } : {}) } : {}
      const form = prompt
        ? { prompt, login: user, password: 'any' }
        : { xsrf, user_code: code, ...answer }
      reply = await this.#open(new URL(action, verificationUri).href, form)
      if (cancel && confirms) return shown
    }
    throw new Error('The device page does not end.')
  }

  /** Logs out at the server's own page; gives where that led to. */
  async endSession(url: string): Promise<URL> {
    const page = await (await this.#open(url)).text()
    const action = /action="([^"]+)"/.exec(page)?.[1]
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(page)?.[1]
    if (action === undefined || xsrf === undefined) throw new Error(`No logout page: ${page}`)
    const reply = await this.#open(new URL(action, url).href, { xsrf, logout: 'yes' })
    return new URL(reply.headers.get('location') ?? reply.url, url)
  }

  async #open(url: string, form?: Record<string, string>): Promise<Response> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const reply = await fetch(url, {
      redirect: 'manual',
      headers: { cookie },
      ...(form ? { method: 'POST', body: new URLSearchParams(form) } : {}),
    })
    for (const line of reply.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (name === undefined) continue
      if (value) this.#cookies.set(name, value)
      else this.#cookies.delete(name)
    }
    return reply
  }
}
