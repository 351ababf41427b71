import { handlers } from '../../../lib/behalf.ts'

export const { GET, POST } = handlers
