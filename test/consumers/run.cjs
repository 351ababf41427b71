// node run.cjs <app>: one login, from CommonJS.
const request = require('supertest')
const testing = require('behalf/testing')
const { logIn } = require('./log-in.cjs')

const { createApp } = require(process.argv[2])
void logIn({ createApp, testing, request }).then((seen) => console.log(JSON.stringify(seen)))
