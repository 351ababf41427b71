// node run.mjs <app>: one login, from an ES module.
import request from 'supertest'
import * as testing from 'behalf/testing'
import { logIn } from './log-in.cjs'

const { createApp } = await import(process.argv[2])
console.log(JSON.stringify(await logIn({ createApp, testing, request })))
