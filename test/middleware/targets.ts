import { createApp, expressVersions, type World } from './express-app.ts'
import { createNextApp, type PortableApp, type PortableSettings } from './next-app.ts'

/** Makes the same app on one target. */
export type Target = (world: World, settings?: PortableSettings) => PortableApp

/** Everything that serves behalf's routes: what is tested on one is tested on all. */
export const targets: Readonly<Record<string, Target>> = {
  ...Object.fromEntries(
    Object.entries(expressVersions).map(([name, express]) => [
      name,
      (world: World, settings: PortableSettings = {}) => createApp(world, { express, ...settings }),
    ]),
  ),
  'Next.js': createNextApp,
}
