/** Seconds as a person says them: `59 min 48 s`. */
export function lifeOf(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const units = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor(whole / 3600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'min'],
    [whole % 60, 's'],
  ] as const
  const told = units.filter(([count]) => count > 0).slice(0, 2)
  return told.map(([count, unit]) => `${count} ${unit}`).join(' ') || '0 s'
}

/** Seconds as milliseconds: `0.4 ms`, `38 ms`. */
export function milliseconds(seconds: number): string {
  const amount = seconds * 1000
  return `${amount < 10 ? amount.toFixed(1) : Math.round(amount)} ms`
}

/** The length of a track: `3:07`. */
export function minutes(amountMs: number): string {
  const seconds = Math.round(amountMs / 1000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
