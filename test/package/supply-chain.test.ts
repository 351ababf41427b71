import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const project = new URL('../../', import.meta.url)
const read = (file: string) => JSON.parse(readFileSync(new URL(file, project), 'utf8'))

interface Locked {
  dev?: boolean
  devOptional?: boolean
  optional?: boolean
  peer?: boolean
  hasInstallScript?: boolean
  license?: string
}

/** What an app gets that installs behalf: its dependencies and theirs. */
const installed = Object.entries<Locked>(read('package-lock.json').packages).filter(
  ([path, { dev, devOptional, optional, peer }]) =>
    path !== '' && !dev && !devOptional && !optional && !peer,
)

test('SUP-01 an app that installs behalf gets fewer than ten packages, and none of them runs a script', () => {
  expect(installed.length).toBeGreaterThan(0)
  expect(installed.length).toBeLessThan(10)
  for (const [path, { hasInstallScript }] of installed) {
    expect([path, hasInstallScript ?? false]).toEqual([path, false])
  }
})

test('SUP-01 behalf itself runs nothing when it is installed, and pins what it needs', () => {
  const { scripts, dependencies } = read('package.json')
  for (const hook of ['preinstall', 'install', 'postinstall', 'prepare']) {
    expect(scripts).not.toHaveProperty(hook)
  }
  for (const version of Object.values(dependencies)) expect(version).toMatch(/^\d+\.\d+\.\d+$/)
})

test('SUP-01 licences of what is installed allow any use', () => {
  for (const [path, { license }] of installed) {
    expect([path, license]).toEqual([
      path,
      expect.stringMatching(/^(MIT|BlueOak-1\.0\.0|ISC|Apache-2\.0)$/),
    ])
  }
})

test('SUP-01 CVE-2025-47928 no workflow gives what it may do to the code of a pull request', () => {
  const texts = ['.ci/', '.github/'].flatMap((name) => {
    const folder = new URL(name, project)
    if (!existsSync(folder)) return []
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name: file }) => [file, readFileSync(join(parentPath, file), 'utf8')])
  }) as Array<[string, string]>
  expect(texts.length).toBeGreaterThan(0)
  for (const [file, text] of texts) {
    expect([file, /pull_request_target|secrets\./.test(text)]).toEqual([file, false])
  }
})
