import { expect, test } from 'vitest'
import { createProgress, progressText } from './progress.ts'

function recording(isTTY: boolean) {
  let nowMs = 0
  const written: string[] = []
  const sink = { isTTY, columns: 66, write: (text: string) => written.push(text) }
  return { written, progress: createProgress(sink, () => nowMs), pass: (ms: number) => (nowMs += ms) }
}

test('on a terminal one line with a bar is drawn again and again', () => {
  const { written, progress, pass } = recording(true)
  progress.begin('rankings', 400)
  pass(1_000)
  progress.advance(100)
  progress.advance(1) // too soon to draw
  pass(1_000)
  progress.advance(299)
  progress.end()
  expect(written).toEqual([
    '\r\x1b[2Krankings: [######------------------] 25 % 100/400, 100/s, 3 s lef',
    '\r\x1b[2Krankings: [########################] 100 % 400/400, 200/s',
    '\r\x1b[2Krankings: [########################] 100 % 400/400, 200/s\n',
  ])
})

test('elsewhere there is a line every two seconds, without control characters', () => {
  const { written, progress, pass } = recording(false)
  progress.begin('reading rows')
  pass(1_999)
  progress.advance(10)
  pass(1)
  progress.advance(10)
  progress.end()
  expect(written).toEqual(['reading rows: 20, 10/s\n', 'reading rows: 20, 10/s\n'])
})

test('a phase of nothing is complete', () => {
  expect(progressText({ what: 'rankings', done: 0, total: 0, elapsedMs: 0, hasBar: false })).toBe(
    'rankings: 100 % 0/0, 0/s',
  )
})
