// A Jest test in CommonJS throughout.
const request = require('supertest')
const testing = require('behalf/testing')
const { createApp } = require('./app.cjs')
const { logIn } = require('./log-in.cjs')

test('a login', async () => {
  const seen = await logIn({ createApp, testing, request })
  expect(seen).toEqual({ before: 401, after: 200, id: 'ada' })
})
