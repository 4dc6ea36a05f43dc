import { describe, expect, test } from 'vitest'
import { createLogger } from './logger.ts'
import { redactText } from './redaction.ts'
import { continueTrace, runInTrace } from './trace.ts'

function logged(write: (log: ReturnType<typeof createLogger>) => void): Record<string, unknown>[] {
  const lines: string[] = []
  write(
    createLogger({
      service: 'history',
      level: 'info',
      instance: 'h-1',
      destination: { write: (line) => void lines.push(line) },
    }),
  )
  return lines.map((line) => JSON.parse(line))
}

test('a line says when, how grave, which service and instance', () => {
  const [line] = logged((log) => log.info({ count: 3 }, 'applied'))
  expect(line).toEqual({
    level: 'info',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    service: 'history',
    instance: 'h-1',
    count: 3,
    message: 'applied',
  })
})

test('a line written on behalf of a request has its trace id, also after waiting', async () => {
  const trace = continueTrace('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01')
  const lines: Record<string, unknown>[] = []
  const log = createLogger({ service: 's', destination: { write: (line) => void lines.push(JSON.parse(line)) } })
  await runInTrace(trace, async () => {
    await Promise.resolve()
    log.info('within')
  })
  log.info('outside')
  expect(lines.map((line) => line.traceId)).toEqual(['0af7651916cd43dd8448eb211c80319c', undefined])
})

test('what is below the level is not written', () => {
  expect(logged((log) => log.debug('detail'))).toEqual([])
})

describe('secrets are masked wherever they stand', () => {
  test('in fields, nested ones, messages and errors; and the line stays JSON', () => {
    const lines = logged((log) => {
      log.info({ password: 'hun"ter2', deep: [{ token: 'hunter2', Authorization: 'hunter2' }] }, 'with hunter as user')
      log.error({ err: new Error('cannot reach postgres://history:hunter2@db:5432/x') }, 'Bearer hunter2hunter2')
    })
    expect(lines).toHaveLength(2)
    expect(JSON.stringify(lines)).not.toMatch(/hunter2|hun\\+"ter2/)
    expect(JSON.stringify(lines)).toContain('postgres://history:***@db:5432/x')
  })

  test.each([
    ['postgres://u:p@ss@w0rd@db/x', 'postgres://u:***@db/x'],
    ['redis://:secret@cache:6379', 'redis://:***@cache:6379'],
    ['http://localhost:8080/a@b', 'http://localhost:8080/a@b'],
    ['authorization: Basic dXNlcjpwdw==', 'authorization: Basic ***'],
    ['host=db password=abc user=u', 'host=db password=*** user=u'],
    ['eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl expired', '*** expired'],
    ['a basic question', 'a basic question'],
  ])('%s', (written, shown) => {
    expect(redactText(written)).toBe(shown)
  })
})
