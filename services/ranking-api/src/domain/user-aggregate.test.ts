import { describe, expect, test } from 'vitest'
import { limits, type PutRanking, type RankingCommand, type Subject } from './ranking-command.ts'
import { dishesPerListMax } from './ranking-list.ts'
import { type Accepted, decide, listEtag, listKey, type Refusal, type UserAggregate } from './user-aggregate.ts'

const now = Date.UTC(2026, 0, 1)
const minute = 60_000

const registered: UserAggregate = {
  userId: 'ann',
  isRegistered: true,
  sequence: 0,
  acceptedAtMs: 0,
  lists: new Map(),
}

function subjectOf(restaurantId: string, dishId: string, dishType = 'ramen'): Subject {
  return {
    restaurant: { restaurantId, name: 'Ichi', version: 3, city: 'Osaka', country: 'JP', cuisineTypes: ['japanese'] },
    dish: { dishId, name: `Dish ${dishId}`, version: 2, dishType },
    isOnMenu: true,
  }
}

function put(dishId: string, fields: Partial<PutRanking> = {}): PutRanking {
  const restaurantId = fields.restaurantId ?? 'ichi'
  const subject = subjectOf(restaurantId, dishId)
  return { kind: 'put', restaurantId, dishId, subject, newRankingId: `ranking-of-${dishId}`, ...fields }
}

function remove(dishId: string, ifMatch?: readonly string[]): RankingCommand {
  return { kind: 'remove', restaurantId: 'ichi', dishId, subject: subjectOf('ichi', dishId), ifMatch }
}

function accepted(user: UserAggregate, command: RankingCommand, at = now): Accepted {
  const decision = decide(user, command, at)
  if ('refusal' in decision) throw new Error(`refused: ${JSON.stringify(decision.refusal)}`)
  return decision
}

function refusal(user: UserAggregate, command: RankingCommand, at = now): Refusal {
  const decision = decide(user, command, at)
  if ('refusal' in decision) return decision.refusal
  throw new Error('was accepted')
}

/** The state after the commands, each a second after the one before. */
function after(...commands: RankingCommand[]): UserAggregate {
  return commands.reduce((user, command, at) => accepted(user, command, now + at * 1_000).user, registered)
}

function listOf(user: UserAggregate): string {
  const list = user.lists.get(listKey('ichi', 'ramen')) ?? []
  return list
    .map(
      ({ dishId, rank, ratingHundredths }) =>
        `${dishId}${rank}${ratingHundredths === null ? '' : `:${ratingHundredths}`}`,
    )
    .join(' ')
}

/** `'a ranked null→1'`: dish, cause, old and new rank. */
function told(decision: Accepted): string[] {
  return decision.events.map((event) => `${event.dish.dishId} ${event.cause} ${event.oldRank}→${event.newRank}`)
}

describe('a first ranking', () => {
  test('is DISH_RANKED with everything that its readers group and show by', () => {
    const fields = { rank: 2, ratingHundredths: 425, notes: 'rich', photoUrl: 'https://p/1', rankedAtMs: now - minute }
    const { events, isCreated } = accepted(registered, put('a', fields))
    expect(isCreated).toBe(true)
    expect(events).toEqual([
      {
        type: 'DISH_RANKED',
        cause: 'ranked',
        rankingId: 'ranking-of-a',
        sequence: 1,
        occurredAtMs: now - minute,
        acceptedAtMs: now,
        dish: { dishId: 'a', name: 'Dish a', version: 2, dishType: 'ramen' },
        restaurant: subjectOf('ichi', 'a').restaurant,
        oldRank: null,
        newRank: 2,
        oldRatingHundredths: null,
        newRatingHundredths: 425,
        notes: 'rich',
        photoUrl: 'https://p/1',
      },
    ])
  })

  test('may be nothing but the act itself: now, at the end, without a rating', () => {
    const { events, ranking } = accepted(after(put('a', { ratingHundredths: 300 })), put('b'))
    expect(told({ ...accepted(after(put('a')), put('b')) })).toEqual(['b ranked null→2'])
    expect(events[0]?.occurredAtMs).toBe(events[0]?.acceptedAtMs)
    expect(ranking).toMatchObject({ rank: 2, ratingHundredths: null, notes: null, photoUrl: null })
  })

  test('takes null for absent', () => {
    const { ranking } = accepted(registered, put('a', { ratingHundredths: null, notes: null, photoUrl: null }))
    expect(ranking).toMatchObject({ rank: 1, ratingHundredths: null, notes: null, photoUrl: null })
  })

  test('goes by its rating when no rank is given, and by its rank when both are', () => {
    const user = after(put('a', { ratingHundredths: 450 }), put('b', { ratingHundredths: 300 }))
    expect(listOf(accepted(user, put('c', { ratingHundredths: 400 })).user)).toBe('a1:450 c2:400 b3:300')
    expect(listOf(accepted(user, put('c', { ratingHundredths: 400, rank: 1 })).user)).toBe('c1:400 a2:450 b3:300')
  })

  test('shifts the run that follows, told after the act, from the top, with the times of the act', () => {
    const user = after(put('a'), put('b'), put('c'), put('e', { rank: 5, notes: 'spicy' }))
    const decision = accepted(user, put('x', { rank: 2, rankedAtMs: now - minute }), now + minute)
    expect(told(decision)).toEqual(['x ranked null→2', 'b shifted 2→3', 'c shifted 3→4'])
    expect(decision.events.map((event) => event.type)).toEqual([
      'DISH_RANKED',
      'DISH_RANKING_UPDATED',
      'DISH_RANKING_UPDATED',
    ])
    expect(decision.events.map((event) => event.sequence)).toEqual([5, 6, 7])
    for (const event of decision.events) {
      expect(event).toMatchObject({ occurredAtMs: now - minute, acceptedAtMs: now + minute })
    }
  })

  test('touches no other list: another restaurant, another dish type', () => {
    const other = { restaurantId: 'ni' }
    const gyoza = { subject: subjectOf('ichi', 'g', 'gyoza') }
    const user = after(put('a', { rank: 1 }), put('a', { ...other, rank: 1 }), put('g', { ...gyoza, rank: 1 }))
    expect([...user.lists].map(([key, list]) => [key, list.map((ranking) => ranking.rank)])).toEqual([
      ['ichi/ramen', [1]],
      ['ni/ramen', [1]],
      ['ichi/gyoza', [1]],
    ])
    expect(user.sequence).toBe(3)
  })
})

describe('ranking again', () => {
  const user = after(
    put('a', { ratingHundredths: 450, notes: 'rich', photoUrl: 'https://p/1' }),
    put('b', { ratingHundredths: 300 }),
    put('c', { ratingHundredths: 200 }),
    put('u'),
  )

  test('absent fields stay', () => {
    const { ranking, isCreated } = accepted(user, put('a', { notes: 'salty' }))
    expect(isCreated).toBe(false)
    expect(ranking).toMatchObject({ rank: 1, ratingHundredths: 450, notes: 'salty', photoUrl: 'https://p/1' })
  })

  test('null clears', () => {
    const { ranking } = accepted(user, put('a', { ratingHundredths: null, notes: null, photoUrl: null }))
    expect(ranking).toMatchObject({ rank: 1, ratingHundredths: null, notes: null, photoUrl: null })
  })

  test.each<[string, string, Partial<PutRanking>, string, string[]]>([
    [
      'another rating finds the place anew',
      'c',
      { ratingHundredths: 400 },
      'a1:450 c2:400 b3:300 u4',
      ['c ranked 3→2', 'b shifted 2→3'],
    ],
    [
      'a lower rating moves the run up',
      'a',
      { ratingHundredths: 250 },
      'b1:300 a2:250 c3:200 u4',
      ['a ranked 1→2', 'b shifted 2→1'],
    ],
    [
      'the dish itself does not count for its place',
      'b',
      { ratingHundredths: 310 },
      'a1:450 b2:310 c3:200 u4',
      ['b ranked 2→2'],
    ],
    [
      'a rating where there was none finds the place',
      'u',
      { ratingHundredths: 300 },
      'a1:450 b2:300 u3:300 c4:200',
      ['u ranked 4→3', 'c shifted 3→4'],
    ],
    ['a cleared rating stays in its place', 'b', { ratingHundredths: null }, 'a1:450 b2 c3:200 u4', ['b ranked 2→2']],
    ['a rank moves', 'a', { rank: 3 }, 'b1:300 c2:200 a3:450 u4', ['a ranked 1→3', 'b shifted 2→1', 'c shifted 3→2']],
    [
      'a rank beats another rating',
      'c',
      { rank: 4, ratingHundredths: 500 },
      'a1:450 b2:300 u3 c4:500',
      ['c ranked 3→4', 'u shifted 4→3'],
    ],
    [
      'a rank behind the end leaves the gap that it asked for',
      'u',
      { rank: 9 },
      'a1:450 b2:300 c3:200 u9',
      ['u ranked 4→9'],
    ],
    ['notes move nothing', 'b', { notes: 'n' }, 'a1:450 b2:300 c3:200 u4', ['b ranked 2→2']],
  ])('%s', (_case, dishId, fields, list, events) => {
    const decision = accepted(user, put(dishId, fields))
    expect(listOf(decision.user)).toBe(list)
    expect(told(decision)).toEqual(events)
  })

  test('the same rating does not find the place anew', () => {
    const moved = accepted(user, put('c', { rank: 1 })).user
    expect(accepted(moved, put('c', { ratingHundredths: 200 })).events).toEqual([])
    expect(told(accepted(moved, put('c', { ratingHundredths: 200, notes: 'n' })))).toEqual(['c ranked 1→1'])
  })

  test('a shifted dish keeps its rating, notes and photo in its event', () => {
    const shifted = accepted(user, put('x', { rank: 1 })).events[1]
    expect(shifted).toMatchObject({
      cause: 'shifted',
      rankingId: 'ranking-of-a',
      oldRatingHundredths: 450,
      newRatingHundredths: 450,
      notes: 'rich',
      photoUrl: 'https://p/1',
    })
  })

  test('what a move shifts to and fro is not told', () => {
    // Out: b, c and u move up by one. In at 2: c and u move down again. Only b ends elsewhere.
    expect(told(accepted(user, put('a', { rank: 2 })))).toEqual(['a ranked 1→2', 'b shifted 2→1'])
  })

  test.each<[string, Partial<PutRanking>]>([
    ['no field at all', {}],
    ['the same rank', { rank: 1 }],
    ['the same of everything', { rank: 1, ratingHundredths: 450, notes: 'rich', photoUrl: 'https://p/1' }],
  ])('the same values emit nothing: %s', (_case, fields) => {
    const decision = accepted(user, put('a', fields))
    expect(decision.events).toEqual([])
    expect(decision.user).toBe(user)
    expect(decision.ranking).toMatchObject({ rankingId: 'ranking-of-a', rank: 1 })
  })

  test('the order of commands, not of rankedAt, decides the values', () => {
    const { ranking } = accepted(user, put('a', { notes: 'older', rankedAtMs: now - 100 * minute }))
    expect(ranking).toMatchObject({ notes: 'older', firstRankedAtMs: now - 100 * minute, lastRankedAtMs: now })
  })
})

describe('a confirmation', () => {
  const user = after(put('a', { ratingHundredths: 450, rankedAtMs: now - minute }), put('b'))

  test('is the same values with a later rankedAt', () => {
    const decision = accepted(user, put('a', { ratingHundredths: 450, rankedAtMs: now - minute + 1 }))
    expect(told(decision)).toEqual(['a confirmed 1→1'])
    expect(decision.events[0]).toMatchObject({ type: 'DISH_RANKING_UPDATED', newRatingHundredths: 450 })
    expect(decision.ranking).toMatchObject({ lastRankedAtMs: now - minute + 1, firstRankedAtMs: now - minute })
  })

  test.each([
    ['an equal rankedAt', now - minute],
    ['an earlier rankedAt', now - 2 * minute],
    ['no rankedAt', undefined],
  ])('is not: %s', (_case, rankedAtMs) => {
    expect(accepted(user, put('a', { rankedAtMs }), now + minute).events).toEqual([])
  })

  test('must be later than every act so far, also than those that came before the latest', () => {
    const corrected = accepted(user, put('a', { notes: 'n', rankedAtMs: now - 10 * minute })).user
    expect(accepted(corrected, put('a', { rankedAtMs: now - 5 * minute })).events).toEqual([])
    expect(told(accepted(corrected, put('a', { rankedAtMs: now })))).toEqual(['a confirmed 1→1'])
  })

  test('counts from itself on', () => {
    const confirmed = accepted(user, put('a', { rankedAtMs: now })).user
    expect(accepted(confirmed, put('a', { rankedAtMs: now })).events).toEqual([])
  })

  test('does not count shifts as acts on the ranking', () => {
    const shifted = accepted(user, put('x', { rank: 1, rankedAtMs: now + minute })).user
    expect(told(accepted(shifted, put('a', { rankedAtMs: now })))).toEqual(['a confirmed 2→2'])
  })
})

describe('a withdrawal', () => {
  const user = after(put('a'), put('b', { rank: 2, ratingHundredths: 300 }), put('c'), put('e', { rank: 5 }))

  test('is DISH_RANKING_REMOVED and moves the run directly behind it up', () => {
    const decision = accepted(user, remove('b'), now + minute)
    expect(told(decision)).toEqual(['b withdrawn 2→null', 'c shifted 3→2'])
    expect(listOf(decision.user)).toBe('a1 c2 e5')
    expect(decision.ranking).toBeNull()
    expect(decision.events[0]).toMatchObject({
      type: 'DISH_RANKING_REMOVED',
      occurredAtMs: now + minute,
      oldRatingHundredths: 300,
      newRatingHundredths: null,
      notes: null,
    })
  })

  test('of what is not ranked is refused', () => {
    expect(refusal(user, remove('z'))).toEqual({ code: 'ranking-not-found', restaurantId: 'ichi', dishId: 'z' })
  })

  test('ends the ranking: the next one is new, with its own times', () => {
    const again = accepted(accepted(user, remove('b')).user, put('b', { newRankingId: 'second' }), now + 9 * minute)
    expect(told(again)).toEqual(['b ranked null→6'])
    expect(again.ranking).toMatchObject({
      rankingId: 'second',
      firstRankedAtMs: now + 9 * minute,
      ratingHundredths: null,
    })
  })
})

describe('refused', () => {
  test.each<[string, Partial<PutRanking>, string, string]>([
    ['rank 0', { rank: 0 }, 'rank', 'range'],
    ['a negative rank', { rank: -1 }, 'rank', 'range'],
    ['half a rank', { rank: 1.5 }, 'rank', 'range'],
    ['a rank past the limit', { rank: limits.rankMax + 1 }, 'rank', 'range'],
    ['a rating under 0.5', { ratingHundredths: 49 }, 'rating', 'range'],
    ['a rating over 5', { ratingHundredths: 501 }, 'rating', 'range'],
    ['a rating that is no number', { ratingHundredths: Number.NaN }, 'rating', 'range'],
    ['a rating with three decimals', { ratingHundredths: 400.5 }, 'rating', 'step'],
    ['empty notes', { notes: '' }, 'notes', 'length'],
    ['notes over the limit', { notes: 'n'.repeat(limits.notesCharactersMax + 1) }, 'notes', 'length'],
    ['notes with U+0000', { notes: 'a\u0000' }, 'notes', 'text'],
    ['notes with half a character', { notes: 'a\ud83c' }, 'notes', 'text'],
    ['a photo URL of another scheme', { photoUrl: 'javascript:alert(1)' }, 'photoUrl', 'url'],
    ['a photo URL over the limit', { photoUrl: `https://p/${'x'.repeat(2_048)}` }, 'photoUrl', 'length'],
    ['a rankedAt more than a minute ahead', { rankedAtMs: now + minute + 1 }, 'rankedAt', 'not-in-future'],
    ['a rankedAt before the year 1', { rankedAtMs: limits.rankedAtMsMin - 1 }, 'rankedAt', 'range'],
  ])('%s', (_case, fields, field, rule) => {
    expect(refusal(registered, put('a', fields))).toMatchObject({ code: 'invalid', faults: [{ field, rule }] })
  })

  test('with all faults at once', () => {
    const refused = refusal(registered, put('a', { rank: 0, ratingHundredths: 501, notes: '' }))
    expect(refused.code === 'invalid' && refused.faults.map((fault) => fault.field)).toEqual([
      'rank',
      'rating',
      'notes',
    ])
  })

  test.each<[string, Partial<PutRanking>]>([
    ['the lowest values', { rank: 1, ratingHundredths: 50, notes: 'n', rankedAtMs: limits.rankedAtMsMin }],
    ['the highest values', { rank: limits.rankMax, ratingHundredths: 500, rankedAtMs: now + minute }],
  ])('not at the limit: %s', (_case, fields) => {
    expect(accepted(registered, put('a', fields)).events).toHaveLength(1)
  })

  test('an unknown user, restaurant or dish, and a dish that is not on the menu', () => {
    const { restaurant, dish } = subjectOf('ichi', 'a')
    const bySubject = (subject: Subject) => refusal(registered, put('a', { subject }))
    expect(refusal({ ...registered, isRegistered: false }, put('a'))).toEqual({ code: 'user-not-found', userId: 'ann' })
    expect(bySubject({ restaurant: undefined, dish, isOnMenu: false }).code).toBe('restaurant-not-found')
    expect(bySubject({ restaurant, dish: undefined, isOnMenu: false }).code).toBe('dish-not-found')
    expect(bySubject({ restaurant, dish, isOnMenu: false }).code).toBe('dish-not-on-menu')
  })

  test('a new dish in a full list, while its dishes may still move', () => {
    const dishes = Array.from({ length: dishesPerListMax }, (_, at) => put(`d${at}`))
    const full = after(...dishes)
    expect(refusal(full, put('x'))).toEqual({ code: 'list-full', dishesMax: dishesPerListMax })
    expect(accepted(full, put('d199', { rank: 1 })).events).toHaveLength(dishesPerListMax)
  })
})

describe('If-Match', () => {
  const user = after(put('a'), put('b'))
  const list = user.lists.get(listKey('ichi', 'ramen')) ?? []

  test('lets through the list that the client saw', () => {
    expect(accepted(user, put('c', { ifMatch: [listEtag(list)] })).events).toHaveLength(1)
    expect(accepted(user, remove('a', ['"other"', listEtag(list)])).events).toHaveLength(2)
    expect(accepted(registered, put('a', { ifMatch: [listEtag([])] })).events).toHaveLength(1)
  })

  test('refuses another list and shows it as it stands', () => {
    for (const command of [
      put('a', { ifMatch: ['"1-1"'] }),
      remove('a', ['"1-1"']),
      put('c', { ifMatch: [listEtag([])] }),
    ]) {
      expect(refusal(user, command)).toEqual({ code: 'list-changed', list, listEtag: listEtag(list) })
    }
  })

  test('the later of two devices is refused', () => {
    const seen = [listEtag(list)]
    const first = accepted(user, put('a', { rank: 2, ifMatch: seen }))
    expect(refusal(first.user, put('b', { rank: 2, ifMatch: seen })).code).toBe('list-changed')
  })
})

test('acceptance never goes back, though the clock does', () => {
  const user = accepted(registered, put('a'), now).user
  const { events } = accepted(user, put('b'), now - minute)
  expect(events[0]).toMatchObject({ acceptedAtMs: now, occurredAtMs: now })
})
