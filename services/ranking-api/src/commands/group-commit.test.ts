import { expect, test, vi } from 'vitest'
import { type Attempt, GroupCommit, type GroupCommitLimits, type Verdict } from './group-commit.ts'

const limits: GroupCommitLimits = {
  flushesMax: 2,
  commandsBesideMin: 3,
  commandsPerFlushMax: 10,
  queueMax: 100,
  attemptsMax: 3,
  waitMsMax: 5_000,
}

/** A flush that lands when the test says so. */
class Flights {
  readonly departed: { commands: string[]; land(verdict?: (command: string) => Verdict<string>): void }[] = []

  readonly flush = (attempts: readonly Attempt<string>[]): Promise<Verdict<string>[]> => {
    const commands = attempts.map((attempt) => attempt.command)
    const landed = Promise.withResolvers<Verdict<string>[]>()
    const done = (command: string): Verdict<string> => ({ kind: 'done', result: `${command} done` })
    this.departed.push({ commands, land: (verdict = done) => landed.resolve(commands.map(verdict)) })
    return landed.promise
  }

  async departure(number: number) {
    return await vi.waitFor(() => {
      const flight = this.departed[number - 1]
      if (flight === undefined) throw new Error(`flight ${number} has not departed`)
      return flight
    })
  }
}

/** Commands are `<key><number>`: a1, a2, b1. */
function setup(changed: Partial<GroupCommitLimits> = {}) {
  const flights = new Flights()
  const engine = new GroupCommit<string, string>({
    keyOf: (command) => command.slice(0, 1),
    flush: flights.flush,
    deny: (denial, attempts) => `${denial} after ${attempts}`,
    limits: { ...limits, ...changed },
  })
  return { flights, engine }
}

const lost: Verdict<string> = { kind: 'again', reason: 'lost' }

/** Long enough for every callback that is due. */
async function turnsOfTheLoop(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

test('an idle server flushes at once, and what arrives together flies together', async () => {
  const { flights, engine } = setup()
  const answers = [engine.submit('a1'), engine.submit('b1')]
  const flight = await flights.departure(1)
  expect(flight.commands).toEqual(['a1', 'b1'])
  flight.land()
  expect(await Promise.all(answers)).toEqual(['a1 done', 'b1 done'])
})

test('commands gather while a flush is in flight, and enough of them fly beside it', async () => {
  const { flights, engine } = setup()
  void engine.submit('a1')
  await flights.departure(1)
  void engine.submit('b1')
  void engine.submit('c1')
  await turnsOfTheLoop()
  expect(flights.departed).toHaveLength(1)
  void engine.submit('d1')
  expect((await flights.departure(2)).commands).toEqual(['b1', 'c1', 'd1'])
  for (const command of ['e1', 'f1', 'g1', 'h1']) void engine.submit(command)
  await turnsOfTheLoop()
  expect(flights.departed).toHaveLength(2)
})

test('many waiting commands are shared out over the flushes that may start', async () => {
  const { flights, engine } = setup({ commandsBesideMin: 3 })
  for (const command of ['a1', 'b1', 'c1', 'd1', 'e1', 'f1', 'g1']) void engine.submit(command)
  expect((await flights.departure(1)).commands).toEqual(['a1', 'b1', 'c1', 'd1'])
  expect((await flights.departure(2)).commands).toEqual(['e1', 'f1', 'g1'])
})

test('what has gathered flies when a flush lands, however little it is', async () => {
  const { flights, engine } = setup()
  void engine.submit('a1')
  const first = await flights.departure(1)
  void engine.submit('b1')
  first.land()
  expect((await flights.departure(2)).commands).toEqual(['b1'])
})

test('a key in flight waits, and its commands stay in order', async () => {
  const { flights, engine } = setup({ commandsBesideMin: 1 })
  void engine.submit('a1')
  const first = await flights.departure(1)
  for (const command of ['a2', 'b1', 'a3']) void engine.submit(command)
  expect((await flights.departure(2)).commands).toEqual(['b1'])
  await turnsOfTheLoop()
  first.land()
  expect((await flights.departure(3)).commands).toEqual(['a2', 'a3'])
})

test('losers fly again before later commands of their key', async () => {
  const { flights, engine } = setup()
  const answers = ['a1', 'b1', 'a2'].map((command) => engine.submit(command))
  const first = await flights.departure(1)
  answers.push(engine.submit('a3'))
  first.land((command) => (command.startsWith('a') ? lost : { kind: 'done', result: 'done' }))
  const second = await flights.departure(2)
  expect(second.commands).toEqual(['a1', 'a2', 'a3'])
  second.land()
  expect(await Promise.all(answers)).toEqual(['a1 done', 'done', 'a2 done', 'a3 done'])
})

test('a flush takes no more than its bound', async () => {
  const { flights, engine } = setup({ commandsPerFlushMax: 2, flushesMax: 1 })
  for (const command of ['a1', 'b1', 'c1']) void engine.submit(command)
  const first = await flights.departure(1)
  expect(first.commands).toEqual(['a1', 'b1'])
  first.land()
  expect((await flights.departure(2)).commands).toEqual(['c1'])
})

test.each([
  ['lost', 'conflict after 3'],
  ['unavailable', 'unavailable after 3'],
] as const)('a command that is always %s is refused after its last attempt', async (reason, denial) => {
  const { flights, engine } = setup()
  const answer = engine.submit('a1')
  for (const number of [1, 2, 3]) (await flights.departure(number)).land(() => ({ kind: 'again', reason }))
  expect(await answer).toBe(denial)
})

test('a failed command fails alone; a flush that throws fails all of its commands', async () => {
  const { flights, engine } = setup()
  const answers = [engine.submit('a1'), engine.submit('b1')]
  const failed: Verdict<string> = { kind: 'failed', error: new Error('poison') }
  ;(await flights.departure(1)).land((command) => (command === 'a1' ? failed : { kind: 'done', result: 'fine' }))
  await expect(answers[0]).rejects.toThrow('poison')
  expect(await answers[1]).toBe('fine')

  const broken = new GroupCommit<string, string>({
    keyOf: String,
    flush: () => Promise.reject(new Error('broken')),
    deny: String,
    limits,
  })
  await expect(broken.submit('a1')).rejects.toThrow('broken')
})

test('a full queue refuses', async () => {
  const { flights, engine } = setup({ queueMax: 2, flushesMax: 1 })
  void engine.submit('a1')
  await flights.departure(1)
  void engine.submit('b1')
  void engine.submit('c1')
  expect(await engine.submit('d1')).toBe('overloaded after 0')
})

test('a command that has waited too long is refused; one in flight is not', async () => {
  const { flights, engine } = setup({ waitMsMax: 1 })
  const inFlight = engine.submit('a1')
  const flight = await flights.departure(1)
  expect(await engine.submit('a2')).toBe('deadline-exceeded after 0')
  flight.land()
  expect(await inFlight).toBe('a1 done')
})

test('stop refuses new commands and waits for those accepted', async () => {
  const { flights, engine } = setup()
  const answer = engine.submit('a1')
  const stopped = engine.stop()
  expect(await engine.submit('b1')).toBe('stopping after 0')
  let isStopped = false
  void stopped.then(() => {
    isStopped = true
  })
  const flight = await flights.departure(1)
  await turnsOfTheLoop()
  expect(isStopped).toBe(false)
  flight.land()
  expect(await answer).toBe('a1 done')
  await stopped
})

test('a flush knows that an earlier one of the same call was committed', async () => {
  const seen: boolean[] = []
  const engine = new GroupCommit<string, string>({
    keyOf: String,
    flush: ([attempt]) => {
      seen.push(attempt?.isCommitted ?? false)
      const again: Verdict<string> = { kind: 'again', reason: 'committed' }
      return Promise.resolve([seen.length === 1 ? again : { kind: 'done', result: 'found' }])
    },
    deny: String,
    limits,
  })
  expect(await engine.submit('a1')).toBe('found')
  expect(seen).toEqual([false, true])
})
