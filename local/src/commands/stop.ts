import { readArguments } from '../arguments.ts'
import type { Command } from '../commands.ts'
import { layoutOf } from '../layout.ts'
import { endLeftovers, leftoversOf } from '../leftovers.ts'
import { readHolder } from '../lock.ts'
import { signalIfAlive, waitUntilGone } from '../process-identity.ts'
import { readState } from '../state-file.ts'

const help = `Stops the embedded platform, started here or in another terminal, and waits until it is down.

  npm run local:stop

Data stays. What a killed run has left is ended too.`

// The supervisor's own bound is 15 s.
const stopTimeoutMs = 20_000

export const stopCommand: Command = {
  summary: 'stops it',
  help,
  async run(args) {
    readArguments(args, {})
    const layout = layoutOf()
    const startedAtMs = performance.now()
    const supervisor = readHolder(layout.lock)
    const wasRunning = supervisor !== undefined && signalIfAlive(supervisor, 'SIGTERM')
    if (wasRunning && !(await waitUntilGone(supervisor, stopTimeoutMs))) {
      process.stderr.write(
        `The supervisor (process ${supervisor.pid}) is still stopping; npm run local:logs tells more.\n`,
      )
      return 1
    }
    const left = await endLeftovers(leftoversOf(readState(layout.state)))
    for (const { name, identity } of left)
      process.stdout.write(`ended ${name} (process ${identity.pid}) of an earlier run\n`)
    const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1)
    process.stdout.write(wasRunning || left.length > 0 ? `stopped in ${seconds} s\n` : 'not running\n')
    return 0
  },
}
