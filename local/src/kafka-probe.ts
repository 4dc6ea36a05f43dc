import { connect } from 'node:net'

/**
 * True when the broker answers a Metadata request (version 1, no topics) with at least one broker. An open port alone
 * says little: the listener opens before the broker has registered with its controller.
 */
export function listsABroker(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const answer: Buffer[] = []
    const finish = (value: boolean): void => {
      socket.destroy()
      resolve(value)
    }
    socket.setTimeout(1_000, () => finish(false))
    socket.once('error', () => finish(false))
    socket.once('close', () => finish(false))
    socket.once('connect', () => socket.write(metadataRequest))
    socket.on('data', (chunk) => {
      answer.push(chunk)
      const bytes = Buffer.concat(answer)
      // size (4), correlation id (4), number of brokers (4)
      if (bytes.length >= 12) finish(bytes.readInt32BE(8) > 0)
    })
  })
}

const metadataRequest = ((): Buffer => {
  const clientId = Buffer.from('local')
  const body = Buffer.alloc(2 + 2 + 4 + 2 + clientId.length + 4)
  let at = body.writeInt16BE(3, 0) // api key: Metadata
  at = body.writeInt16BE(1, at) // api version
  at = body.writeInt32BE(1, at) // correlation id
  at = body.writeInt16BE(clientId.length, at)
  at += clientId.copy(body, at)
  body.writeInt32BE(0, at) // no topics
  const size = Buffer.alloc(4)
  size.writeInt32BE(body.length)
  return Buffer.concat([size, body])
})()
