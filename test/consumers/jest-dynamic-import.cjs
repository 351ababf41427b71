// A Jest test in CommonJS that loads behalf when it runs.
const request = require('supertest')
const { logIn } = require('./log-in.cjs')

test('a login', async () => {
  const testing = await import('behalf/testing')
  const { createApp } = await import('./app.mjs')
  const seen = await logIn({ createApp, testing, request })
  expect(seen).toEqual({ before: 401, after: 200, id: 'ada' })
})
