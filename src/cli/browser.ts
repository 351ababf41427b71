import { spawn } from 'node:child_process'

/** Opens an address in the user's browser, where there is one; without one they have read the address. */
export function openBrowser(address: string): void {
  const found = command()
  if (found === undefined) return
  const [program, ...args] = found
  // No shell: the address holds what a shell would take apart.
  const child = spawn(program, [...args, address], { stdio: 'ignore', detached: true })
  child.on('error', () => {})
  child.unref()
}

function command(): [string, ...string[]] | undefined {
  const { BROWSER, DISPLAY, WAYLAND_DISPLAY } = process.env
  if (BROWSER) return [BROWSER]
  if (process.platform === 'darwin') return ['open']
  if (process.platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler']
  return (DISPLAY ?? WAYLAND_DISPLAY) ? ['xdg-open'] : undefined
}
