import { NextCopy } from './next-copy.ts'

/** `npm run test:next`: everything, and not only what stands for the rest. */
export const isWhole = process.env['MODE'] === 'whole'

/** A session of the example: where its tokens live. */
export interface NextKind {
  name: string
  /** What the copy's own code chooses by. */
  place: string
}

export const inStore: NextKind = { name: 'tokens in the store', place: 'store' }
export const inCookie: NextKind = { name: 'sealedCookie()', place: 'sealedCookie' }
export const cookieKinds: readonly NextKind[] = [
  { name: 'ironSession()', place: 'iron-session' },
  inCookie,
]
/** For Node 22 and newer. */
export const ironSession9: NextKind = {
  name: 'ironSession() with iron-session 9',
  place: 'iron-session 9',
}

/** The example with the diff of the docs, and a choice of what the diff has chosen: one build for all. */
export function copyWithCookies(name?: string): NextCopy {
  const copy = new NextCopy(name)
  copy.applyTheDiffOfTheDocs()
  copy.edit('lib/behalf.ts', (text) =>
    text
      .replace("{ ironSession } from 'behalf", "{ ironSession, sealedCookie } from 'behalf")
      .replace(/^(?=const scope)/m, `${choice}\n`)
      .replace('tokenStore: ironSession(getIronSession, {', '...place({')
      .replace(/^(?=import \{ recordCall)/m, iron9),
  )
  return copy
}

const iron9 = "import { getIronSession as getIronSession9 } from 'iron-session9'\n"
const choice = `
type Options = Parameters<typeof ironSession<{ cookieName: string; password: string }>>[1]
function place(options: Options) {
  const { PLACE } = process.env
  if (PLACE === 'store') return {}
  if (PLACE === 'sealedCookie') return { tokenStore: sealedCookie() }
  if (PLACE === 'iron-session 9') return { tokenStore: ironSession(getIronSession9, options) }
  return { tokenStore: ironSession(getIronSession, options) }
}
`
