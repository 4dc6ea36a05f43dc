import { rmSync } from 'node:fs'
import { readArguments, UsageError } from '../arguments.ts'
import type { Command } from '../commands.ts'
import { dataOf, layoutOf } from '../layout.ts'
import { endLeftovers, leftoversOf } from '../leftovers.ts'
import { tryLock } from '../lock.ts'
import { readState } from '../state-file.ts'

const help = `Removes all data of the embedded platform: databases, topics, schemas, keys, remembered ports, logs.

  npm run local:reset -- --yes

  --yes     without it nothing is removed

Packages that were fetched (.local/packages) stay. The platform must be stopped.`

export const resetCommand: Command = {
  summary: 'removes all its data',
  help,
  async run(args) {
    const { values } = readArguments(args, { yes: { type: 'boolean' } })
    const layout = layoutOf()
    if (values.yes !== true) {
      throw new UsageError(
        `This removes all data in ${layout.directory}: npm run local:reset -- --yes if that is meant`,
      )
    }
    const lock = tryLock(layout.lock)
    if ('holder' in lock) {
      process.stderr.write(`The platform is running (process ${lock.holder.pid}): npm run local:stop first.\n`)
      return 1
    }
    try {
      await endLeftovers(leftoversOf(readState(layout.state)))
      for (const path of dataOf(layout)) rmSync(path, { recursive: true, force: true })
    } finally {
      lock.release()
    }
    process.stdout.write(`Removed all data in ${layout.directory}; npm start begins anew.\n`)
    return 0
  },
}
