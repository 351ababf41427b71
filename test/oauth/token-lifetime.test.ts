import { afterEach, expect, test, vi } from 'vitest'
import { timeLeft } from '../../src/oauth/token-lifetime.ts'

afterEach(() => void vi.restoreAllMocks())

const hour = 3_600_000
const received = (receivedAt: number, accessToken = 'token') => ({
  accessToken,
  receivedAt,
  expiresAt: receivedAt + hour,
})

test('a token lives for as long as the provider said, or for ever', () => {
  const now = Date.now()
  expect(timeLeft(received(now))).toBeCloseTo(hour, -2)
  expect(timeLeft(received(now - 2 * hour))).toBeCloseTo(-hour, -2)
  expect(timeLeft({ accessToken: 'token', receivedAt: now })).toBe(Infinity)
})

test('a token of a process whose clock is ahead lives no longer than its lifetime, counted from when it was first seen', () => {
  const warning = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  const ahead = received(Date.now() + 2 * hour)
  expect(timeLeft(ahead)).toBe(hour)
  const later = performance.now() + hour / 2
  vi.spyOn(performance, 'now').mockReturnValue(later)
  expect(timeLeft(ahead)).toBeCloseTo(hour / 2, -2)
  vi.spyOn(performance, 'now').mockReturnValue(later + hour)
  expect(timeLeft(ahead)).toBeLessThan(0)
  expect(timeLeft(received(Date.now() + 2 * hour, 'another'))).toBe(hour)
  expect(warning).toHaveBeenCalledOnce()
  expect(warning.mock.calls[0]?.[1]).toMatchObject({ code: 'BEHALF_CLOCKS_DIFFER' })
})

test('clocks that differ by seconds are not worth a word', () => {
  const warning = vi.spyOn(process, 'emitWarning')
  expect(timeLeft(received(Date.now() + 5_000))).toBeCloseTo(hour + 5_000, -2)
  expect(warning).not.toHaveBeenCalled()
})
