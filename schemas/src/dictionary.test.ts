import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import avsc from 'avsc'
import { describe, expect, test } from 'vitest'
import { dictionary, eventByName } from './dictionary.ts'
import { EVENT_CATEGORIES } from './event-categories.ts'
import { topics } from './generated/topics.ts'
import { releasedSubjects } from './register-schemas.ts'
import { schemaDefinitions } from './schema-definitions.ts'

describe('the dictionary', () => {
  test('no name or alias means two events', () => {
    const names = dictionary.flatMap((event) => [event.name, ...event.aliases])
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toStrictEqual([])
  })

  test('no two events share a record', () => {
    expect(new Set(dictionary.map((event) => event.record)).size).toBe(dictionary.length)
  })

  test('an inverse is mutual', () => {
    for (const event of dictionary) {
      if (event.inverse) expect(eventByName(event.inverse)?.inverse, event.name).toBe(event.name)
    }
  })

  test('each topic exists', () => {
    for (const event of dictionary) {
      for (const topic of [event.topic, ...event.copies]) expect(topics[topic]?.name, event.name).toBe(topic)
      expect(event.key).toBe(topics[event.topic].key)
    }
  })

  test('each record is an Avro schema of its full name, with the envelope first', () => {
    for (const event of dictionary) {
      const type = avsc.Type.forSchema(JSON.parse(schemaDefinitions.schemaJson(event.record))) as avsc.types.RecordType
      expect(type.name).toBe(event.record)
      expect(type.fields[0]?.name).toBe('eventId')
      expect(type.fields.map((field) => field.name)).toEqual(
        expect.arrayContaining(['sequence', 'occurredAtMs', 'acceptedAtMs']),
      )
    }
  })

  test('every event of a user-keyed topic carries the user', () => {
    for (const event of dictionary.filter(({ key }) => key === 'user id')) {
      expect(schemaDefinitions.schemaJson(event.record)).toContain('"name":"userId"')
    }
  })

  test('all 32 names of the original catalogue are known, also by what they mean here', () => {
    const names = Object.values(EVENT_CATEGORIES).flatMap((category) => Object.values<string>(category))
    expect(names).toHaveLength(32)
    expect(names.filter((name) => !eventByName(name))).toStrictEqual([])
    expect(eventByName('nutrition.meal.logged')?.name).toBe('DISH_RANKED')
    expect(eventByName('nutrition.goal.met')?.name).toBe('target.met')
    expect(eventByName('nutrition.water.logged')?.name).toBe('visit.logged')
    expect(eventByName('quest.completed')?.name).toBe('challenge.completed')
    expect(eventByName('user.achievement.unlocked')?.name).toBe('BADGE_AWARDED')
  })

  test.each([
    ...['DISH_RANKED', 'DISH_RANKING_UPDATED', 'BADGE_PROGRESS_UPDATED', 'BADGE_AWARDED', 'DISH_RANKING_REMOVED'],
    ...['review.approved', 'edit.approved', 'ownership.added', 'ownership.removed', 'wishlist.added', 'compare.used'],
    ...['cron.anniversary', 'user.followed', 'user.unfollowed', 'review.withdrawn', 'wishlist.removed', 'user.erased'],
    ...['restaurant.changed', 'dish.changed'],
  ])('%s is the name of an event', (name) => {
    expect(eventByName(name)?.name).toBe(name)
  })

  test('an event answers to its name in the other style', () => {
    expect(eventByName('dish.ranked')?.name).toBe('DISH_RANKED')
    expect(eventByName('REVIEW_APPROVED')?.name).toBe('review.approved')
    expect(eventByName('dish.eaten')).toBeUndefined()
  })

  test('an application cannot emit what only the platform knows', () => {
    for (const name of ['DISH_RANKED', 'BADGE_AWARDED', 'user.erased', 'cron.anniversary', 'user.registered']) {
      expect(eventByName(name)?.isApplicationEmitted, name).toBe(false)
    }
    expect(eventByName('review.approved')?.isApplicationEmitted).toBe(true)
  })

  test('the context is every field besides the envelope', () => {
    expect(eventByName('compare.used')?.context.map((field) => [field.name, field.type])).toStrictEqual([
      ['firstDishId', 'uuid'],
      ['secondDishId', 'uuid'],
      ['preferredDishId', 'uuid or null'],
    ])
  })
})

describe('subjects', () => {
  test('are the topic and the full name of the record, for each topic that carries it', () => {
    expect(releasedSubjects.map((one) => one.subject)).toStrictEqual([
      'dish-rankings-bellyfed.rankings.DishRanked',
      'dish-rankings-bellyfed.rankings.DishRankingUpdated',
      'dish-rankings-bellyfed.rankings.DishRankingRemoved',
    ])
  })
})

describe('topics', () => {
  test('keyed by user have equal partition counts', () => {
    const counts = Object.values(topics).flatMap((topic) => (topic.key === 'user id' ? topic.partitions : []))
    expect(counts).toStrictEqual([12, 12, 12])
  })

  test('only the catalogue is compacted', () => {
    const compacted = Object.values(topics).filter((topic) => topic.cleanupPolicy === 'compact')
    expect(compacted.map((topic) => topic.name)).toStrictEqual(['catalogue'])
  })
})

test('the generated files are what the sources give', () => {
  const program = fileURLToPath(new URL('generate/main.ts', import.meta.url))
  execFileSync(process.execPath, [program, '--check'], { stdio: 'pipe' })
})
