/** Milliseconds that so many calls take, `atATime` of them under way. */
export function measure(
  call: () => Promise<unknown>,
  load: { calls: number; atATime: number },
): Promise<number>
