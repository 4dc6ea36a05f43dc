import { closeSync, existsSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * The logs of all processes in one folder: `<name>.log` holds the lines of one process as it printed them,
 * `platform.log` all of them with time and name in front, JSON lines of our services made readable.
 * A file that outgrows its limit is renamed to `<name>.log.1`, in place of the one before.
 */
export interface LogBook {
  /** Takes one line of a process. */
  write(name: string, line: string): void
  close(): void
}

export const platformLog = 'platform'
const bytesMax = 32 * 1024 * 1024
const nameWidth = 18

export function logFile(directory: string, name: string): string {
  return join(directory, `${name}.log`)
}

export function openLogBook(directory: string, options: { bytesMax?: number; now?: () => Date } = {}): LogBook {
  const limit = options.bytesMax ?? bytesMax
  const now = options.now ?? (() => new Date())
  const files = new Map<string, RotatingFile>()
  const fileOf = (name: string): RotatingFile => {
    const file = files.get(name) ?? openRotating(logFile(directory, name), limit)
    files.set(name, file)
    return file
  }
  return {
    write(name, line) {
      fileOf(name).write(`${line}\n`)
      if (name !== platformLog)
        fileOf(platformLog).write(`${now().toISOString()} ${name.padEnd(nameWidth)} ${readable(line)}\n`)
    },
    close() {
      for (const file of files.values()) file.close()
      files.clear()
    },
  }
}

/** A JSON line of our services as `LEVEL message field=value …`; any other line as it is. */
export function readable(line: string): string {
  if (!line.startsWith('{')) return line
  let entry: Record<string, unknown>
  try {
    entry = JSON.parse(line) as Record<string, unknown>
  } catch {
    return line
  }
  // Time and process stand in front already.
  const { level, message, time: _time, service: _service, instance: _instance, ...rest } = entry
  if (typeof level !== 'string' || typeof message !== 'string') return line
  const fields = Object.entries(rest).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  return [level.toUpperCase(), message, ...fields].join(' ')
}

interface RotatingFile {
  write(text: string): void
  close(): void
}

function openRotating(path: string, limit: number): RotatingFile {
  mkdirSync(dirname(path), { recursive: true })
  let file = openSync(path, 'a')
  let size = fstatSync(file).size
  return {
    write(text) {
      if (size > limit) {
        closeSync(file)
        if (existsSync(path)) renameSync(path, `${path}.1`)
        file = openSync(path, 'a')
        size = 0
      }
      size += writeSync(file, text)
    },
    close: () => closeSync(file),
  }
}
