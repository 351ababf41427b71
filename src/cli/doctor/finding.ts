/** What one check has found: all is well, something to think about, or something to change. */
export interface Finding {
  level: 'ok' | 'note' | 'change'
  about: string
  text: string
}

/** Makes the findings of one check. */
export function findingsAbout(about: string) {
  return {
    ok: (text: string): Finding => ({ level: 'ok', about, text }),
    note: (text: string): Finding => ({ level: 'note', about, text }),
    change: (text: string): Finding => ({ level: 'change', about, text }),
  }
}
