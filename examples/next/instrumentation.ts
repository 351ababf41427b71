/** Next.js calls this once, when the server starts: whatever is missing is told now. */
export async function register(): Promise<void> {
  if (process.env['NEXT_RUNTIME'] !== 'nodejs') return
  const { auth } = await import('./lib/behalf.ts')
  await auth.ready()
}
