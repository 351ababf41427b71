import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const { exports } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as {
  exports: Record<string, string>
}

/** The names that each entry point gives: what is added or lost here is public. */
const names: Record<string, string[]> = {
  '.': [
    'AccessDeniedError',
    'BehalfError',
    'CallbackError',
    'ClientMisconfiguredError',
    'ConfigError',
    'CrossSiteRequestError',
    'InsufficientScopeError',
    'LoginRequiredError',
    'NotPersistableError',
    'OriginNotAllowedError',
    'ProviderUnavailableError',
    'RateLimitedError',
    'ReauthRequiredError',
    'RepositoryMismatchError',
    'SessionNotKeptError',
    'SessionOrderError',
    'StateError',
    'StoreUnavailableError',
    'UnexpectedResponseError',
    'UnsupportedOperationError',
    'UpstreamError',
    'UpstreamUnavailableError',
    'UserInSharedCacheError',
    'UserRequiredError',
    'createBehalf',
  ],
  './express': ['behalf', 'loginOnDemand', 'requireLogin', 'responseCache'],
  './next': ['behalf', 'responseCache'],
  './providers': [
    'github',
    'google',
    'microsoft',
    'normalizeScope',
    'oauth2',
    'oidc',
    'spotify',
    'spotifyScopes',
    'spotifySdkAuth',
  ],
  './sessions': ['inSession', 'ironSession', 'sealedCookie'],
  './cache': ['cachedFetch', 'cachedResponse', 'json', 'responseCache', 'text'],
  './stores': ['backends', 'cacheManager', 'createStore'],
  './stores/dynamodb': ['dynamodbStore', 'isDynamodbClient'],
  './stores/file': ['fileOptions', 'fileStore'],
  './stores/gridfs': ['gridfsStore', 'isGridfsClient'],
  './stores/keyv': ['isKeyvClient', 'keyvStore'],
  './stores/memcached': ['memcachedStore'],
  './stores/memory': ['memoryStore'],
  './stores/mongodb': ['isMongodbClient', 'mongodbStore'],
  './stores/postgres': ['isPostgresClient', 'postgresStore'],
  './stores/redis': ['isRedisClient', 'redisStore'],
  './stores/sqlite': ['isSqliteClient', 'sqliteOptions', 'sqliteStore'],
  './testing': [
    'chaosStore',
    'createTestApi',
    'createTestProvider',
    'grantFor',
    'loginAs',
    'sessionCookie',
    'storeContract',
  ],
}

test('every entry point is listed here', () => {
  expect(
    Object.keys(exports)
      .filter((entry) => entry !== './package.json')
      .toSorted(),
  ).toEqual(Object.keys(names).toSorted())
})

test.each(Object.entries(names))(
  'behalf%s exports exactly what it should',
  async (entry, expected) => {
    const module = (await import(`behalf${entry.slice(1)}`)) as object
    expect(Object.keys(module).toSorted()).toEqual(expected)
  },
)

test('the package can be required from CommonJS', async () => {
  const { createRequire } = await import('node:module')
  const require = createRequire(import.meta.url)
  expect(Object.keys(require('behalf/express') as object)).toContain('behalf')
})
