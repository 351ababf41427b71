import { startMongoStandIn } from './mongo-stand-in.ts'

/** The stand-in as a process of its own, to be killed and frozen: `node --import tsx this 27017`. */
await startMongoStandIn({ port: Number(process.argv[2] ?? 0) })
