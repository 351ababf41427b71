/** Text of somebody else's for a terminal: nothing in it is a command to it. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, '')
}
