import { expect, test } from 'vitest'
import { murmur2, partitionOf } from './partitioner.ts'

test('hashes are those of the Java client', () => {
  // The cases of org.apache.kafka.common.utils.UtilsTest.testMurmur2.
  const cases: [string, number][] = [
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
    // Lengths of 1 modulo 4, which are not among those cases, as kafkajs hashes them.
    ['a', -1563381124],
    ['abcde', 461995741],
  ]
  for (const [key, hash] of cases) expect(murmur2(Buffer.from(key))).toBe(hash)
})

test('partitions do not depend on how the key is given, and negative hashes count as their low 31 bits', () => {
  expect(partitionOf('foobar', 12)).toBe((-790332482 & 0x7fffffff) % 12)
  expect(partitionOf(Buffer.from('foobar'), 12)).toBe(partitionOf('foobar', 12))
})
