/** Cuts a list into parts that together weigh at most `most` each; one item alone may weigh more. */
export function parts<T>(items: readonly T[], most: number, weigh: (item: T) => number): T[][] {
  const cut: T[][] = []
  let room = 0
  for (const item of items) {
    const weight = weigh(item)
    if (weight > room) {
      cut.push([])
      room = most
    }
    cut.at(-1)!.push(item)
    room -= weight
  }
  return cut
}
