import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type PlatformState, readState, writeState } from './state-file.ts'

let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'state-'))
  path = join(directory, 'deeper', 'state.json')
})
afterEach(() => rmSync(directory, { recursive: true }))

const state: PlatformState = {
  supervisor: { pid: 100, startedAt: 'boot:1' },
  phase: 'ready',
  api: 'http://127.0.0.1:8080',
  parts: [
    {
      name: 'kafka',
      kind: 'process',
      process: { pid: 101, startedAt: 'boot:2' },
      port: 9092,
      probe: { kind: 'kafka', host: '127.0.0.1', port: 9092 },
      restartCount: 0,
    },
  ],
  passing: [{ name: 'import', process: { pid: 102, startedAt: 'boot:3' } }],
}

test('what was written is read', () => {
  writeState(path, state)
  expect(readState(path)).toEqual(state)
})

test('no file, half a file and a foreign file count as no state', () => {
  expect(readState(path)).toBeUndefined()
  for (const content of ['', '{"supervisor": {"pid": 1', '[]', '{"parts": []}', 'null']) {
    writeFileSync(join(directory, 'state.json'), content)
    expect(readState(join(directory, 'state.json')), content).toBeUndefined()
  }
})

test('a state whose processes lack a start time is not trusted', () => {
  writeState(path, { ...state, supervisor: { pid: 100, startedAt: '' } })
  expect(readState(path)).toBeUndefined()
})

test('process 1 is never taken for ours', () => {
  writeState(path, { ...state, passing: [{ name: 'import', process: { pid: 1, startedAt: 'boot:3' } }] })
  expect(readState(path)).toBeUndefined()
})
