import type { Metadata } from 'next'
import { failedLogin } from '../../../express/failure.ts'
import { Failure } from '../../components/failure.tsx'
import { context } from '../../lib/behalf.ts'

export const metadata: Metadata = { title: 'The login did not work' }

/** Where behalf sends a login that was cancelled or went wrong. */
export default async function LoginFailedPage({ searchParams }: PageProps<'/login-failed'>) {
  const { tokens } = await context()
  const loginUrl = tokens.spotify.loginUrl({ returnTo: '/top' })
  return <Failure {...failedLogin(String((await searchParams)['code']), loginUrl)} />
}
