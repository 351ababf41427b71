import { handlers } from '../../../lib/behalf.js'

export const { GET, POST } = handlers
