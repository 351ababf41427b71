import type { NextConfig } from 'next'

const headers = [
  { key: 'referrer-policy', value: 'same-origin' },
  { key: 'x-content-type-options', value: 'nosniff' },
  { key: 'x-frame-options', value: 'DENY' },
]

const config: NextConfig = {
  poweredByHeader: false,
  devIndicators: false,
  // The demo is opened under 127.0.0.1, which is what Spotify takes; Next.js calls itself localhost.
  allowedDevOrigins: ['127.0.0.1'],
  headers: async () => [{ source: '/:path*', headers }],
}

export default config
