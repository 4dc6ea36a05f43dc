import { describe, expect, test } from 'vitest'
import { answerIn, shapeFaults, shellBlocksOf } from './readme-blocks.ts'

const fenced = (language: string, ...lines: string[]) => [`\`\`\`${language}`, ...lines, '```']
const text = (...lines: (string | string[])[]) => lines.flat().join('\n')

describe('the blocks of a README', () => {
  test('are its shell blocks in order, each with its line, its marker and the answer shown below it', () => {
    const markdown = text(
      '# Title',
      fenced('sh', 'npm start'),
      '',
      '<!-- run -->',
      fenced('sh', 'A=1', 'echo $A'),
      '',
      fenced('json', '{ "a": 1 }'),
      '<!-- run: the second -->',
      fenced('sh', 'echo 2'),
      'No answer is shown for it:',
      fenced('json', '[]'),
      fenced('ts', 'const x = 1'),
    )
    expect(shellBlocksOf(markdown)).toEqual([
      { line: 2, commands: 'npm start', isMarked: false, answer: undefined },
      { line: 7, commands: 'A=1\necho $A', isMarked: true, answer: { a: 1 } },
      { line: 16, commands: 'echo 2', isMarked: true, answer: undefined },
    ])
  })

  test('do not take a marker that stands before some other text', () => {
    expect(shellBlocksOf(text('<!-- run -->', 'Then:', fenced('sh', 'true')))[0]?.isMarked).toBe(false)
  })

  test.each([
    [
      'an answer that is no JSON',
      text('<!-- run -->', fenced('sh', 'true'), fenced('json', '{ … }')),
      'line 5: .* no JSON',
    ],
    ['a marker before another language', text('<!-- run -->', fenced('ts', 'x')), 'line 2: only a block of sh'],
    ['a block that is not closed', text('```sh', 'true'), 'line 1: the block is not closed'],
  ])('refuse %s', (_title, markdown, message) => {
    expect(() => shellBlocksOf(markdown)).toThrow(new RegExp(message))
  })
})

describe('the answer in what was printed', () => {
  test('is the JSON at its end, on one line or several, behind whatever else was printed', () => {
    expect(answerIn('name  state\n[x] done\n{"ready": true}\n')).toEqual({ ready: true })
    expect(answerIn('[\n  1,\n  2\n]')).toEqual([1, 2])
  })

  test('is not made up where there is none', () => {
    expect(() => answerIn('curl: (7) Failed to connect')).toThrow('no JSON')
  })
})

describe('the shape of an answer', () => {
  test('holds when there is more than shown, and other values of the same kinds', () => {
    const shown = { id: 'a', rank: null, list: [{ count: 1 }] }
    expect(shapeFaults(shown, { id: 'b', rank: 3, list: [{ count: 2, more: 1 }, 'x'], extra: true })).toEqual([])
  })

  test.each([
    ['a missing key', { a: { b: 1 } }, { a: {} }, ['$.a.b is missing, not number']],
    ['a missing key that is shown as null', { a: null }, {}, ['$.a is missing']],
    ['a missing element', { a: [{ b: 1 }] }, { a: [] }, ['$.a[0] is missing, not object']],
    ['another kind', { a: 'x', b: [] }, { a: 1, b: {} }, ['$.a is number, not string', '$.b is object, not array']],
    ['null for a value', { a: 1 }, { a: null }, ['$.a is null, not number']],
  ])('does not hold with %s', (_title, shown, real, faults) => {
    expect(shapeFaults(shown, real)).toEqual(faults)
  })
})
