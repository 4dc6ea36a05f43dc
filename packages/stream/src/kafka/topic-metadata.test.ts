import { expect, test } from 'vitest'
import { decodeResponse, encodeRequest } from './topic-metadata.ts'

test('a request is encoded as the message definition says', () => {
  const expected = Buffer.concat([
    Buffer.of(0), // tags of the header
    Buffer.of(2), // one topic
    Buffer.alloc(16), // no id
    Buffer.from('\x03ab'), // name
    Buffer.of(0), // tags
    Buffer.of(0, 0), // no creation, no authorized operations
    Buffer.of(0), // tags
  ])
  expect(encodeRequest(['ab'])).toEqual(expected)
})

test('a response that ends too early is an error, not half an answer', () => {
  expect(() => decodeResponse(Buffer.of(0, 0, 0, 0, 0, 2, 0))).toThrow(RangeError)
})
