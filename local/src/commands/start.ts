import { readArguments } from '../arguments.ts'
import type { Command } from '../commands.ts'
import { importBundledRatings } from '../first-import.ts'
import { layoutOf } from '../layout.ts'
import { endLeftovers, leftoversOf } from '../leftovers.ts'
import { tryLock } from '../lock.ts'
import { openLogBook } from '../log-book.ts'
import { createPlatform, type Platform } from '../platform.ts'
import { findJava, MissingPrerequisite } from '../prerequisites.ts'
import { isAlive, launchers } from '../process-identity.ts'
import { createTeller } from '../progress.ts'
import { screenOf } from '../screen.ts'
import { platformOf } from '../services.ts'
import { readState } from '../state-file.ts'

const help = `Starts the embedded platform: PostgreSQL, Kafka, the schema registry and every service; Ctrl-C stops it.

  npm start

Data is kept in .local (BELLYFED_LOCAL_DIR). Ports that are taken are replaced, and the choice is remembered.
POSTGRES_URL (of an owner), KAFKA_BROKERS and SCHEMA_REGISTRY_URL name parts that run elsewhere instead.
On the first start the bundled ratings are imported.`

export const startCommand: Command = {
  summary: 'starts everything and stays; Ctrl-C stops it',
  help,
  async run(args) {
    readArguments(args, {})
    const layout = layoutOf()
    if (!process.env.KAFKA_BROKERS || !process.env.SCHEMA_REGISTRY_URL) findJava()
    const lock = tryLock(layout.lock)
    if ('holder' in lock) {
      process.stderr.write(
        `The platform is already running (process ${lock.holder.pid}): npm run local:status tells more, npm run local:stop stops it.\n`,
      )
      return 1
    }
    try {
      for (const { name, identity } of await endLeftovers(leftoversOf(readState(layout.state)))) {
        process.stdout.write(`Ended ${name} (process ${identity.pid}), which an earlier run had left.\n`)
      }
      return await superviseUntilSignal()
    } finally {
      lock.release()
    }
  },
}

/** Starts, stays until a signal, stops. A signal during the start interrupts it. */
async function superviseUntilSignal(): Promise<number> {
  const startedAtMs = performance.now()
  const layout = layoutOf()
  const logBook = openLogBook(layout.logs)
  const tell = createTeller(process.stdout, (name, text) => logBook.write('supervisor', `${name}: ${text}`))
  const definition = platformOf(layout.project)
  const platform = createPlatform({ layout, definition, environment: process.env, logBook, tell })
  const signal = nextSignal()
  process.stdout.write(`Starting the embedded platform in ${layout.directory}\n\n`)
  const start = async (): Promise<void> => {
    await platform.start()
    await importBundledRatings({ layout, definition, apiUrl: platform.apiUrl, logBook, tell })
    platform.setPhase('ready')
    const screen = await screenOf({ layout, definition, platform })
    process.stdout.write(`\nReady in ${((performance.now() - startedAtMs) / 1000).toFixed(1)} s.\n\n${screen}`)
  }
  let status = 0
  try {
    const started = start()
    // When a signal wins, the start is ended by the stop below; how it then fails is of no interest.
    started.catch(() => undefined)
    await Promise.race([started, signal])
    const name = await signal
    process.stdout.write(`\n${name}: stopping\n`)
  } catch (error) {
    status = 1
    const message = error instanceof Error ? error.message : String(error)
    logBook.write('supervisor', `start failed: ${message}`)
    const isMissing = error instanceof MissingPrerequisite
    process.stderr.write(
      isMissing ? `\n${message}\n` : `\nThe start failed: ${message}\nThe logs are in ${layout.logs}.\n`,
    )
  }
  await stop(platform)
  logBook.close()
  return status
}

async function stop(platform: Platform): Promise<void> {
  const startedAtMs = performance.now()
  await platform.stop()
  process.stdout.write(`Stopped in ${((performance.now() - startedAtMs) / 1000).toFixed(1)} s.\n`)
}

/**
 * The first of the signals that end us. Later ones change nothing: Ctrl-C arrives twice, from the terminal and from npm.
 * npm ends on a SIGTERM without passing it on, so under npm the end of npm counts as one.
 */
function nextSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => resolve(name))
    if (process.env.npm_lifecycle_event === undefined) return
    const watched = launchers()
    setInterval(() => {
      if (!watched.every(isAlive)) resolve('npm has ended')
    }, launcherCheckMs).unref()
  })
}

const launcherCheckMs = 250
