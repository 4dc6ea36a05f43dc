/** The commands of the README, run as they stand there, one after the other in one shell, on a started platform. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Outcome, root, runToEnd } from './npm-script.ts'
import { createPlatform, type Platform } from './platform.ts'
import { answerIn, type ReadmeBlock, shapeFaults, shellBlocksOf } from './readme-blocks.ts'

/** The README names the usual ports; where one was taken, the platform has remembered another. */
const usualPorts: Readonly<Record<string, number>> = {
  postgres: 5432,
  kafka: 9092,
  registry: 8081,
  'ranking-api': 8080,
  'ranking-api operations': 9180,
  'ranking-api-relay operations': 9181,
  history: 8082,
  'history operations': 9182,
}
/** What needs no proof here: the set-up, and what every test of the platform does. */
const unmarkedCommands = ['npm ci', 'npm start', 'npm test']

let platform: Platform
let blocks: ReadmeBlock[]
let outcome: Outcome

beforeAll(async () => {
  blocks = shellBlocksOf(await readFile(`${root}README.md`, 'utf8'))
  platform = await createPlatform()
  await platform.start()
  const script = await onActualPorts(
    blocks
      .filter(({ isMarked }) => isMarked)
      .map(withEnd)
      .join('\n'),
  )
  const { brokers, registry } = platform.places()
  const endpoints = { KAFKA_BROKERS: brokers.join(','), SCHEMA_REGISTRY_URL: registry }
  outcome = await runToEnd('sh', ['-eu', '-c', script], { ...platform.environment, ...endpoints })
})

afterAll(() => platform.remove())

const endOf = ({ line }: ReadmeBlock) => `--- end of the block of line ${line} ---`
const withEnd = (block: ReadmeBlock) => `${block.commands}\nprintf '\\n%s\\n' '${endOf(block)}'`

async function onActualPorts(script: string): Promise<string> {
  const actual = JSON.parse(await readFile(join(platform.directory, 'ports.json'), 'utf8')) as Record<string, number>
  const nameOf = new Map(Object.entries(usualPorts).map(([name, port]) => [String(port), name]))
  return script.replaceAll(/127\.0\.0\.1:(\d+)/g, (address, port: string) => {
    const name = nameOf.get(port)
    return name === undefined ? address : `127.0.0.1:${actual[name]}`
  })
}

/** What the block printed. */
function outputOf(block: ReadmeBlock): string {
  const marked = blocks.filter(({ isMarked }) => isMarked)
  const previous = marked[marked.indexOf(block) - 1]
  const end = outcome.stdout.indexOf(endOf(block))
  if (end < 0) throw new Error(`the block of line ${block.line} did not come to its end`)
  return outcome.stdout.slice(
    previous === undefined ? 0 : outcome.stdout.indexOf(endOf(previous)) + endOf(previous).length,
    end,
  )
}

test('every command of the README is run, except for the set-up', () => {
  const unmarked = blocks.filter(({ isMarked }) => !isMarked).flatMap(({ commands }) => commands.split('\n'))
  expect(unmarked.filter((command) => !unmarkedCommands.includes(command))).toEqual([])
  expect(blocks.filter(({ isMarked }) => isMarked).length).toBeGreaterThan(3)
})

test('every command succeeds', () => {
  const done = blocks.filter((block) => block.isMarked && outcome.stdout.includes(endOf(block)))
  console.log(`README: ${done.length} blocks run`)
  expect(
    blocks.filter((block) => block.isMarked && !done.includes(block)),
    outcome.stderr,
  ).toEqual([])
  expect(outcome.code, outcome.stderr).toBe(0)
})

test('every answer has the shape that is shown', () => {
  const faults = blocks
    .filter(({ isMarked, answer }) => isMarked && answer !== undefined)
    .flatMap((block) =>
      shapeFaults(block.answer, answerIn(outputOf(block))).map((fault) => `answer of line ${block.line}: ${fault}`),
    )
  expect(faults).toEqual([])
})
