/** Tells whether the work has ended within `seconds`, and goes on either way. */
export async function endsWithin(
  work: Promise<unknown>,
  seconds: number | undefined,
): Promise<boolean> {
  // Without a limit nobody needs a timer; whoever waits sees how it ends.
  if (seconds === undefined) return true
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), seconds * 1000)
  })
  const done = work.then(
    () => true,
    () => true,
  )
  return Promise.race([done, over]).finally(() => clearTimeout(timer))
}
