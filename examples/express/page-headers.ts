import type { IncomingMessage, ServerResponse } from 'node:http'
import type { NextFunction, Request, Response } from 'express'

/** The pages need their own style sheet and the covers, which come from somewhere else. */
const policy = [
  "default-src 'none'",
  "style-src 'self'",
  'img-src https: data: http://127.0.0.1:*',
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Tells browsers what these pages never do. */
export function pageHeaders(_req: Request, res: Response, next: NextFunction): void {
  res.set({
    'content-security-policy': policy,
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
  })
  next()
}

/**
 * Refuses a form that another site posts. SameSite=Lax cookies stop most of them, but to it every
 * port and subdomain of a host is the same site. (behalf's own routes check this by themselves.)
 */
export function fromOwnPages(baseUrl: string) {
  // Express's own types would make the later handlers forget what is in the path.
  return (req: IncomingMessage, res: ServerResponse, next: NextFunction): void => {
    const { origin, 'sec-fetch-site': site } = req.headers
    if (site === 'same-origin' || (site === undefined && origin === baseUrl)) next()
    else res.writeHead(403).end('This form was not sent from a page of this app.')
  }
}
