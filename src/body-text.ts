import { bufferOf } from './buffer-of.ts'

const byteOrderMark = '\uFEFF'

/** A body as the Fetch standard decodes it: UTF-8, without a byte order mark. `text`: decoded already. */
export function bodyText({
  text,
  body,
}: {
  readonly text?: string | undefined
  readonly body: Uint8Array
}): string {
  const decoded = text ?? bufferOf(body).toString()
  return decoded.startsWith(byteOrderMark) ? decoded.slice(1) : decoded
}
