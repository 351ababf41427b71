// node --import tsx lock-holder.ts <path>: takes the lock, says so, and keeps it until it is killed.

import { FileLocks } from '../../src/stores/file/lock.ts'

const [, , path = ''] = process.argv
const locks = new FileLocks({ timeoutMs: 10_000, ownHost: true, isClosed: () => false })
await locks.hold(path, async () => {
  process.stdout.write('held\n')
  await new Promise((resolve) => setTimeout(resolve, 600_000))
})
