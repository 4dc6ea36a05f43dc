/**
 * A projection for the tests of this package that hides nothing: each event it is given becomes a row, in the order
 * given, and an event given twice becomes two rows. So the table says exactly which transactions were committed.
 */
import { arrayOf, inlineStatement, type Migration, type Pool, type Transaction } from '@bellyfed/postgres'
import { streamMigrations } from '../migrations.ts'
import type { RecordToSend } from '../ports.ts'
import type { Projection } from '../position-store.ts'
import type { ReceivedEvent } from '../received-event.ts'

export interface JournalRow {
  readonly topic: string
  readonly partition: number
  readonly record_offset: bigint
  readonly user_id: string
  readonly sequence: number
  readonly written_by: string
}

export const journalMigrations: readonly Migration[] = [
  ...streamMigrations,
  {
    component: 'journal',
    id: '0001-create-journal',
    sql: `create table journal (
      id bigint generated always as identity primary key, topic text not null, partition integer not null,
      record_offset bigint not null, user_id text not null, sequence integer not null, written_by text not null)`,
  },
]

const insertJournal = inlineStatement(
  'insert-journal',
  `insert into journal (topic, partition, record_offset, user_id, sequence, written_by)
   select $1, $2, record_offset, user_id, sequence, $6
   from unnest($3::bigint[], $4::text[], $5::integer[]) with ordinality as given (record_offset, user_id, sequence, place)
   order by place`,
)
const selectJournal = inlineStatement(
  'select-journal',
  'select topic, partition, record_offset, user_id, sequence, written_by from journal order by id',
)
const selectPositions = inlineStatement(
  'select-positions',
  'select topic, partition, next_offset from consumer_positions where consumer_group = $1 order by topic, partition',
)
const selectDead = inlineStatement(
  'select-dead',
  'select partition, record_offset, key, value, headers, error_class, code, event_id, retry_count from dead_letters order by partition, record_offset',
)

/** Writes the journal. `before` runs inside the transaction, ahead of the insert. */
export function journalProjection(
  writer = 'journal',
  before: (events: readonly ReceivedEvent[], tx: Transaction) => Promise<void> | void = () => undefined,
): Projection {
  return {
    name: writer,
    async apply(tx, events) {
      await before(events, tx)
      const [first] = events
      await tx.query(insertJournal, [
        first?.topic,
        first?.partition,
        arrayOf.bigint(events.map((event) => event.offset)),
        arrayOf.text(events.map(({ decoded }) => decoded.event.userId)),
        arrayOf.integer(events.map(({ decoded }) => decoded.event.sequence)),
        writer,
      ])
    },
  }
}

export async function readJournal(pool: Pool): Promise<readonly JournalRow[]> {
  return (await pool.query<JournalRow>(selectJournal)).rows
}

export async function readPositions(pool: Pool, group: string): Promise<ReadonlyMap<string, bigint>> {
  const { rows } = await pool.query<{ topic: string; partition: number; next_offset: bigint }>(selectPositions, [group])
  return new Map(rows.map((row) => [`${row.topic}/${row.partition}`, row.next_offset]))
}

export interface DeadRow {
  readonly partition: number
  readonly record_offset: bigint
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Record<string, unknown>
  readonly error_class: string
  readonly code: string
  readonly event_id: string | null
  readonly retry_count: number
}

export async function readDead(pool: Pool): Promise<readonly DeadRow[]> {
  return (await pool.query<DeadRow>(selectDead)).rows
}

/** Records of several users, each with sequences from `from` on, interleaved as a relay would publish them. */
export function interleaved(
  toRecord: (user: string, sequence: number, position: bigint) => RecordToSend,
  { users, perUser, from = 1 }: { users: number; perUser: number; from?: number },
): RecordToSend[] {
  const records: RecordToSend[] = []
  for (let sequence = from; sequence < from + perUser; sequence += 1) {
    for (let user = 0; user < users; user += 1) {
      const position = BigInt((sequence - 1) * users + user + 1)
      records.push(toRecord(`user-${user}`, sequence, position))
    }
  }
  return records
}
