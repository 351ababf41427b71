import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http'

type Headers = OutgoingHttpHeaders | OutgoingHttpHeader[]

/**
 * Calls `listener` once, right before a reply's headers go out, when all that the app sets with them
 * is set and can still be changed.
 */
export function beforeHeaders(res: ServerResponse, listener: () => void): void {
  // oxlint-disable-next-line typescript/unbound-method -- it is called on the reply again
  const { writeHead } = res
  let isTold = false
  const own = function (this: ServerResponse, status: number, ...rest: unknown[]): ServerResponse {
    if (isTold) return Reflect.apply(writeHead, this, [status, ...rest])
    isTold = true
    // Headers given here would replace what the listener sets.
    const headers = rest.find((one) => typeof one === 'object' && one !== null) as Headers
    for (const [name, value] of entriesOf(headers)) this.setHeader(name, value)
    listener()
    const message = rest.filter((one) => typeof one === 'string')
    return Reflect.apply(writeHead, this, [status, ...message])
  }
  res.writeHead = own
}

/** Node takes an object, a list of pairs, and a flat list in which a name may come again. */
function entriesOf(headers: Headers | undefined): Array<[string, string | number | string[]]> {
  const found = new Map<string, string | number | string[]>()
  const add = (name: string, value: OutgoingHttpHeader | undefined) => {
    if (value === undefined) return
    const before = found.get(name)
    found.set(name, before === undefined ? value : [before, value].flat().map(String))
  }
  if (!Array.isArray(headers)) {
    for (const [name, value] of Object.entries(headers ?? {})) add(name, value)
  } else if (Array.isArray(headers[0])) {
    for (const [name, value] of headers as unknown as Array<[string, OutgoingHttpHeader]>) {
      add(name, value)
    }
  } else {
    for (let index = 0; index < headers.length; index += 2) {
      add(String(headers[index]), headers[index + 1])
    }
  }
  return [...found]
}
