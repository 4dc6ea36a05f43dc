/**
 * Kafka's own console consumer: a client that shares no line of code with this project. The broker's jars are those of
 * the package cache; the one jar with Kafka's command line tools is fetched beside them, once.
 */
import { existsSync } from 'node:fs'
import { mkdtemp, rename, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { defaultCacheDirectory, preparePackages } from '@bellyfed/local'
import { runToEnd } from './npm-script.ts'

const mavenGet = 'org.apache.maven.plugins:maven-dependency-plugin:2.8:get'
const consumerClass = 'org.apache.kafka.tools.consumer.ConsoleConsumer'

/** A record as the console consumer prints it. */
export interface PrintedRecord {
  readonly partition: number
  readonly offset: number
  readonly headers: Readonly<Record<string, string>>
  readonly key: string
  /** Magic byte, and the schema id in the four bytes behind it. */
  readonly magic: number
  readonly schemaId: number
}

/** Reads the topic from its beginning until `recordCount` records were printed. Throws when there are fewer. */
export async function consumeWithKafkasOwnConsumer(options: {
  readonly brokers: readonly string[]
  readonly topic: string
  readonly recordCount: number
}): Promise<PrintedRecord[]> {
  const packages = await preparePackages({ cacheDirectory: defaultCacheDirectory(), recordArchives: false })
  const tools = await toolsJar(packages.kafkaClassPath)
  const properties = {
    'print.partition': 'true',
    'print.offset': 'true',
    'print.headers': 'true',
    'print.key': 'true',
    // Prints what is no visible ASCII as \xNN.
    'value.deserializer': 'org.apache.kafka.common.serialization.BytesDeserializer',
  }
  const args = [
    '-Xmx128m',
    '-XX:TieredStopAtLevel=1',
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
    '-cp',
    [packages.kafkaClassPath, tools].join(':'),
    consumerClass,
    '--bootstrap-server',
    options.brokers.join(','),
    '--topic',
    options.topic,
    '--from-beginning',
    '--max-messages',
    String(options.recordCount),
    '--timeout-ms',
    '30000',
    ...Object.entries(properties).flatMap(([name, value]) => ['--formatter-property', `${name}=${value}`]),
  ]
  const { code, stdout, stderr } = await runToEnd(packages.java.executable, args, process.env)
  const records = stdout.split('\n').filter(Boolean).map(parseRecord)
  if (code !== 0 || records.length !== options.recordCount) {
    throw new Error(`${records.length} of ${options.recordCount} records, exit status ${code}:\n${stderr}`)
  }
  return records
}

/** `Partition:3	Offset:17	event-type:DISH_RANKED,event-id:…	<key>	\x00\x00\x00\x00\x02…` */
export function parseRecord(line: string): PrintedRecord {
  const [partition = '', offset = '', headers = '', key = '', ...rest] = line.split('\t')
  const bytes = unescaped(rest.join('\t'), 5)
  return {
    partition: Number(partition.replace('Partition:', '')),
    offset: Number(offset.replace('Offset:', '')),
    headers: Object.fromEntries(headers.split(',').map((header) => splitOnce(header, ':'))),
    key,
    magic: bytes.readUInt8(0),
    schemaId: bytes.readUInt32BE(1),
  }
}

/** The first `length` bytes of what the consumer printed. */
function unescaped(text: string, length: number): Buffer {
  const bytes: number[] = []
  for (let index = 0; index < text.length && bytes.length < length; ) {
    const isEscaped = text.startsWith('\\x', index)
    bytes.push(isEscaped ? Number.parseInt(text.slice(index + 2, index + 4), 16) : text.charCodeAt(index))
    index += isEscaped ? 4 : 1
  }
  return Buffer.from(bytes)
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator)
  return [text.slice(0, at), text.slice(at + 1)]
}

/** The jar of the tools, of the same version as the broker's; fetched whole or not at all. */
async function toolsJar(kafkaClassPath: string): Promise<string> {
  const version = /kafka-clients-([\d.]+)\.jar/.exec(kafkaClassPath)?.[1]
  if (version === undefined) throw new Error(`no kafka-clients among ${kafkaClassPath}`)
  const file = join(defaultCacheDirectory(), `kafka-tools-${version}.jar`)
  if (existsSync(file)) return file
  const draft = await mkdtemp(join(defaultCacheDirectory(), '.kafka-tools-draft-'))
  const fetched = join(draft, basename(file))
  const artifact = `-Dartifact=org.apache.kafka:kafka-tools:${version}`
  const { code, stdout } = await runToEnd(
    'mvn',
    ['-B', mavenGet, artifact, '-Dtransitive=false', `-Ddest=${fetched}`],
    process.env,
  )
  if (code !== 0) throw new Error(`the tools of Kafka ${version} could not be fetched:\n${stdout.slice(-2000)}`)
  await rename(fetched, file)
  await rm(draft, { recursive: true })
  return file
}
