import { readJson, writeWhole } from './layout.ts'
import { choosePort } from './ports.ts'

/** The ports chosen so far, kept between starts: a URL that worked yesterday works today unless its port was taken. */
export interface RememberedPorts {
  /** The port of this name; `usual` at first, another when that is taken. */
  portOf(name: string, usual: number): Promise<number>
  /** Somebody else took the port of this name after it was chosen: the next `portOf` chooses another. */
  forget(name: string): void
}

export function rememberedPorts(path: string, isFree?: (port: number) => Promise<boolean>): RememberedPorts {
  const ports = new Map<string, number>(Object.entries(readPorts(path)))
  const given = new Map<string, number>()
  const lost = new Set<number>()
  const choose = async (name: string, usual: number): Promise<number> => {
    const already = given.get(name)
    if (already !== undefined) return already
    // Ports remembered for other names stay theirs.
    const taken = new Set([
      ...lost,
      ...given.values(),
      ...[...ports].flatMap(([other, port]) => (other === name ? [] : [port])),
    ])
    const remembered = ports.get(name)
    const port = await choosePort({ usual, remembered, taken, ...(isFree === undefined ? {} : { isFree }) })
    given.set(name, port)
    ports.set(name, port)
    writeWhole(path, `${JSON.stringify(Object.fromEntries(ports), undefined, 2)}\n`)
    return port
  }
  let last: Promise<unknown> = Promise.resolve()
  return {
    forget(name) {
      const port = given.get(name)
      if (port !== undefined) lost.add(port)
      given.delete(name)
      ports.delete(name)
    },
    portOf(name, usual) {
      // One after another: two parts that look side by side would find the same port free.
      const chosen = last.then(() => choose(name, usual))
      last = chosen.catch(() => undefined)
      return chosen
    },
  }
}

function readPorts(path: string): Record<string, number> {
  const value = readJson(path)
  if (typeof value !== 'object' || value === null) return {}
  const isPort = (port: unknown): port is number =>
    Number.isInteger(port) && (port as number) > 0 && (port as number) < 65_536
  return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, number] => isPort(entry[1])))
}
