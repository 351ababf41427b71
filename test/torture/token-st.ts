import { createBehalf } from '/work/main/src/index.ts'
import { spotify } from '/work/main/src/oauth/providers/index.ts'
import { createStore } from '/work/main/src/stores/index.ts'
console.log(process.uptime(), process.cpuUsage())
