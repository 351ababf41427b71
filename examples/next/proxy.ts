export { proxy } from './lib/behalf.ts'

export const config = { matcher: ['/((?!_next/static|_next/image|favicon.ico).*)'] }
