import { describe, expect, test } from 'vitest'
import { listsOf, type Standing } from './lists.ts'

const standing = (given: Partial<Standing>): Standing => ({
  dishId: 'd1',
  dishName: 'Dish',
  dishType: 'noodles',
  restaurantId: 'r1',
  restaurantName: 'Restaurant',
  rank: 1,
  ratingHundredths: null,
  version: 1,
  ...given,
})

describe('listsOf', () => {
  test('a list is one dish type at one restaurant', () => {
    const lists = listsOf([
      standing({ dishId: 'd1', restaurantId: 'r2' }),
      standing({ dishId: 'd2', dishType: 'soup' }),
      standing({ dishId: 'd3' }),
    ])
    expect(lists.map((list) => [list.restaurantId, list.dishType, list.dishes.map((dish) => dish.dishId)])).toEqual([
      ['r1', 'noodles', ['d3']],
      ['r1', 'soup', ['d2']],
      ['r2', 'noodles', ['d1']],
    ])
  })

  test('dishes are in the order of their ranks, gaps kept', () => {
    const [list] = listsOf([standing({ dishId: 'd1', rank: 7 }), standing({ dishId: 'd2', rank: 2 })])
    expect(list?.dishes.map((dish) => dish.rank)).toEqual([2, 7])
  })

  test('a list bears the name that its restaurant had at the latest change', () => {
    const [list] = listsOf([
      standing({ dishId: 'd1', rank: 1, version: 9, restaurantName: 'New' }),
      standing({ dishId: 'd2', rank: 2, version: 3, restaurantName: 'Old' }),
    ])
    expect(list?.restaurantName).toBe('New')
  })

  test('nothing ranked gives no list', () => expect(listsOf([])).toEqual([]))
})
