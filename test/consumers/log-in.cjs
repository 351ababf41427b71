/**
 * What a visitor does with each of the apps: is sent to the login, logs in, and sees what the app
 * gets from the API. `testing` and `request` are handed in, loaded the way the consumer loads them.
 */
exports.logIn = async function logIn({ createApp, testing, request }) {
  const provider = await testing.createTestProvider()
  const api = await testing.createTestApi({ provider })
  try {
    const agent = request.agent(
      createApp({ provider: provider.overrides, apiBaseUrl: api.baseUrl }),
    )
    const before = await agent.get('/me')
    await testing.loginAs(agent, { user: 'ada', provider: 'spotify' })
    const after = await agent.get('/me')
    return { before: before.status, after: after.status, id: after.body.id }
  } finally {
    await api.close()
    await provider.close()
  }
}
