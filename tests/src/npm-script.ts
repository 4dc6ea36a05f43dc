import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The project's directory, with a slash at its end. */
export const root = fileURLToPath(new URL('../../', import.meta.url))

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** What `npm run <script>` would run, for `process.execPath`: without npm between us and the process. */
export function argumentsOfScript(script: string): string[] {
  const { scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { scripts: Record<string, string> }
  const [program, ...args] = (scripts[script] ?? '').split(' ')
  if (program !== 'node') throw new Error(`the npm script ${script} does not run node: ${scripts[script]}`)
  return args
}

const outputBytesMax = 256 * 1024 * 1024

/** Runs a program to its end; an exit status other than 0 is an outcome, not an error. */
export function runToEnd(
  command: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  { timeoutMs = 240_000 } = {},
): Promise<Outcome> {
  const options = { cwd: root, env: environment, maxBuffer: outputBytesMax, timeout: timeoutMs }
  return new Promise((resolve, reject) => {
    execFile(command, args, options, (error, stdout, stderr) => {
      if (error === null) resolve({ code: 0, stdout, stderr })
      else if (typeof error.code === 'number') resolve({ code: error.code, stdout, stderr })
      else reject(new Error(`${command} ${args.join(' ')}: ${error.message}\n${stdout}${stderr}`, { cause: error }))
    })
  })
}
