// A Jest test that is an ES module.
import request from 'supertest'
import * as testing from 'behalf/testing'
import { createApp } from './app.mjs'
import { logIn } from './log-in.cjs'

test('a login', async () => {
  const seen = await logIn({ createApp, testing, request })
  expect(seen).toEqual({ before: 401, after: 200, id: 'ada' })
})
