/**
 * A signal that aborts with the request, or after `seconds`. Not AbortSignal.any: on Node 20 the
 * garbage collector takes it, and with it the deadline. The timer holds on to controller and
 * request, whose signal follows the caller's only as long as it lives.
 */
export function withinTotal(request: Request, seconds: number): AbortSignal {
  const controller = new AbortController()
  const abortToo = () => {
    clearTimeout(timer)
    controller.abort(request.signal.reason)
  }
  const timer = setTimeout(() => {
    request.signal.removeEventListener('abort', abortToo)
    controller.abort(new DOMException(`No reply within ${seconds} s`, 'TimeoutError'))
  }, seconds * 1000).unref()
  if (request.signal.aborted) abortToo()
  else request.signal.addEventListener('abort', abortToo, { once: true })
  return controller.signal
}
