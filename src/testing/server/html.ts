/** Text that is HTML already and must not be escaped again. */
export class Html {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** Builds HTML or SVG; every value that is not {@link Html} is escaped. */
export function html(
  strings: TemplateStringsArray,
  ...values: ReadonlyArray<string | number | Html | readonly Html[]>
): Html {
  let text = strings[0] ?? ''
  values.forEach((value, index) => {
    text += rendered(value) + (strings[index + 1] ?? '')
  })
  return new Html(text)
}

function rendered(value: string | number | Html | readonly Html[]): string {
  if (value instanceof Html) return value.text
  if (typeof value === 'object') return value.map((part) => part.text).join('')
  return String(value).replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)
}
