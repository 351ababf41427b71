import { ConfigError } from '../../errors.ts'
import type { Profile, ProviderDefinition, ProviderOptions } from '../provider.ts'
import { normalizeScope } from '../scope.ts'
import { preset } from './preset.ts'

/** Options of {@link microsoft}. */
export interface MicrosoftOptions extends ProviderOptions {
  /**
   * Whose accounts may log in: the id or a domain of one tenant, `organizations`, `consumers`, or
   * `common` for all of them. Default `common`.
   */
  tenant?: string | undefined
}

const graph = 'https://graph.microsoft.com/'

/**
 * Microsoft Graph, with accounts of Microsoft Entra and personal ones. Without arguments the client
 * is read from `MICROSOFT_CLIENT_ID` and `MICROSOFT_CLIENT_SECRET`; `scope` defaults to
 * `openid profile email offline_access User.Read`.
 *
 * Refresh tokens come with `offline_access` only, are replaced by each refresh and live for 90 days
 * from the last one. Microsoft has no way to revoke them: a logout deletes them here. An ID token is
 * of the tenant of its user, so that its issuer is compared with that tenant's.
 */
export function microsoft(options: MicrosoftOptions = {}): ProviderDefinition {
  const { tenant = 'common', ...overrides } = options
  if (!/^[\w.-]{1,255}$/.test(tenant)) {
    throw new ConfigError(
      `microsoft(): the tenant '${tenant}' must be an id, a domain, common, organizations or consumers.`,
    )
  }
  const settings: ProviderDefinition = {
    issuer: `https://login.microsoftonline.com/${tenant}/v2.0`,
    apiBaseUrl: `${graph}v1.0/`,
    environment: 'MICROSOFT',
    discovery: true,
    // Its user info wants a token for Graph, and knows no more than the ID token.
    userInfo: false,
    // The reply names what was granted with or without the API that it is of.
    grantedScope: (name) => (name.startsWith(graph) ? name.slice(graph.length) : name),
    profile,
  }
  const usual = ['profile', 'email', 'offline_access', 'User.Read']
  const scope = ['openid', ...normalizeScope(options.scope ?? usual)]
  return preset(settings, { ...overrides, scope })
}

/** An address that its owner has not been asked for can be anybody's: only the checked one is told. */
function profile(user: Readonly<Record<string, unknown>>): Profile {
  const isChecked = [true, 1, '1', 'true'].includes(user['xms_edov'] as string)
  return {
    subject: text(user['sub']) ?? '',
    name: text(user['name']) ?? text(user['preferred_username']),
    email: isChecked ? text(user['email']) : undefined,
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
