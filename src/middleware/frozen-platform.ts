/**
 * Does the platform let a process stand still once it has answered? AWS Lambda does (Netlify runs
 * on it), and so does Vercel.
 */
export function freezesAfterReply(environment: NodeJS.ProcessEnv = process.env): boolean {
  return Boolean(environment['AWS_LAMBDA_FUNCTION_NAME'] || environment['VERCEL'])
}
