import { connect } from 'node:net'
import { listsABroker } from './kafka-probe.ts'
import type { Probe } from './state-file.ts'

/** Whether a part answers now. Never throws; a part that does not answer within 2 s does not answer. */
export async function answers(probe: Probe): Promise<boolean> {
  switch (probe.kind) {
    case 'postgres':
      return speaksPostgres(probe.host, probe.port)
    case 'kafka':
      return listsABroker(probe.host, probe.port)
    case 'http':
      return respondsOk(probe.url)
    default:
      return probe satisfies never
  }
}

export const probeTimeoutMs = 2_000

async function respondsOk(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(probeTimeoutMs) })
    await response.arrayBuffer()
    return response.ok
  } catch {
    return false
  }
}

/** An open port alone says little: the system accepts connections for a frozen server too. Any server answers this. */
function speaksPostgres(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const finish = (value: boolean): void => {
      socket.destroy()
      resolve(value)
    }
    socket.setTimeout(probeTimeoutMs, () => finish(false))
    socket.once('error', () => finish(false))
    socket.once('close', () => finish(false))
    socket.once('connect', () => socket.write(sslRequest))
    socket.once('data', () => finish(true))
  })
}

/** PostgreSQL's request for TLS: answered with one byte, yes or no, before any authentication. */
const sslRequest = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f])
