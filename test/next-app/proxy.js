import { noteCore, proxy as ours } from './lib/behalf.js'

export const proxy = ours.with(() => {
  noteCore()
})
