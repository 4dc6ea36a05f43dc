import { readArguments } from '../arguments.ts'
import type { Command } from '../commands.ts'
import { layoutOf } from '../layout.ts'
import { readHolder } from '../lock.ts'
import { answers } from '../probe.ts'
import { isAlive, ownMiB, residentMiB } from '../process-identity.ts'
import { type PartState, type PlatformState, readState } from '../state-file.ts'

const help = `Tells what runs, asking each part now.

  npm run local:status [-- --json]

  --json    {ready, api, parts: [{name, kind, state, pid, port, rssMiB}]}

Exit status: 0 when everything is ready, 1 when not.`

/** `ready`: answers. `starting`: runs, but does not answer (yet). `down`: no process, or a given part that is silent. */
export type PartCondition = 'ready' | 'starting' | 'down'

export interface StatusReport {
  readonly ready: boolean
  readonly api: string | null
  readonly parts: readonly PartReport[]
}

export interface PartReport {
  readonly name: string
  readonly kind: PartState['kind'] | 'supervisor'
  readonly state: PartCondition
  readonly pid: number | null
  readonly port: number | null
  /** With the processes that it started itself. */
  readonly rssMiB: number | null
}

export const statusCommand: Command = {
  summary: 'tells what runs',
  help,
  async run(args) {
    const { values } = readArguments(args, { json: { type: 'boolean' } })
    const layout = layoutOf()
    const report = await statusOf(readState(layout.state), readHolder(layout.lock)?.pid)
    process.stdout.write(values.json === true ? `${JSON.stringify(report)}\n` : table(report))
    return report.ready ? 0 : 1
  },
}

/** The state as it is now, not as it was last written. */
export async function statusOf(
  state: PlatformState | undefined,
  lockHolderPid: number | undefined,
): Promise<StatusReport> {
  if (state === undefined || lockHolderPid !== state.supervisor.pid || !isAlive(state.supervisor)) {
    return { ready: false, api: null, parts: [] }
  }
  const { pid } = state.supervisor
  const supervisor: PartReport = {
    name: 'supervisor',
    kind: 'supervisor',
    state: state.phase === 'ready' ? 'ready' : 'starting',
    pid,
    port: null,
    rssMiB: ownMiB(pid) ?? null,
  }
  const parts = [supervisor, ...(await Promise.all(state.parts.map(reportOf)))]
  return { ready: parts.every((part) => part.state === 'ready'), api: state.api ?? null, parts }
}

async function reportOf(part: PartState): Promise<PartReport> {
  const isRunning = part.process !== undefined && isAlive(part.process)
  const isAnswering = (isRunning || part.kind === 'given') && (await answers(part.probe))
  const pid = isRunning ? (part.process?.pid ?? null) : null
  return {
    name: part.name,
    kind: part.kind,
    state: isAnswering ? 'ready' : isRunning ? 'starting' : 'down',
    pid,
    port: part.port ?? null,
    rssMiB: pid === null ? null : (residentMiB(pid) ?? null),
  }
}

function table(report: StatusReport): string {
  if (report.parts.length === 0) return 'not running: npm start\n'
  const cell = (value: unknown): string => (value === null ? '-' : String(value))
  const rows = report.parts.map((part) =>
    [part.name, part.kind, part.state, part.pid, part.port, part.rssMiB].map(cell),
  )
  const lines = [['name', 'kind', 'state', 'pid', 'port', 'MiB'], ...rows]
  const widths = [0, 1, 2, 3, 4, 5].map((column) => Math.max(...lines.map((line) => (line[column] ?? '').length)))
  const text = lines.map((line) =>
    line
      .map((value, column) => value.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  const totalMiB = report.parts.reduce((sum, part) => sum + (part.rssMiB ?? 0), 0)
  const summary = `${report.ready ? 'ready' : 'not ready'}, API ${report.api ?? '-'}, ${totalMiB} MiB in all`
  return `${text.join('\n')}\n\n${summary}\n`
}
