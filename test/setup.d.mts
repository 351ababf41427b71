/** What `npm run test:setup` installs. */
export const components: ReadonlyArray<{
  name: string
  /** Where it is: its executable, or `undefined` when it is not there. */
  path: () => string | undefined
}>
