/** Events as real ones look: names of usual length, one or two cuisines, a command id, rarely notes. */
import type { DecodedEvent } from '@bellyfed/schemas'
import { updated } from '@bellyfed/testkit/world'

const dishNames = ['California', 'Carne asada', 'Surf & Turf', 'Al pastor', 'Chile relleno with rice and beans']
const restaurantNames = ['Taco Stand', "Rigoberto's Taco Shop", 'Lolita’s at the Park', 'El Zarape', "Goody's"]

/** The event at `index` of an endless run over `userCount` users, each with sequences from `sequenceFirst` on. */
export function sampleEvent(index: number, userCount: number, sequenceFirst = 1): DecodedEvent {
  const event = updated({
    user: `user-${index % userCount}`,
    dish: `dish-${index % 40}`,
    restaurant: `restaurant-${index % 100}`,
    sequence: sequenceFirst + Math.floor(index / userCount),
    oldRank: 2,
    newRank: 1 + (index % 5),
    oldRatingHundredths: 350,
    newRatingHundredths: 50 + (index % 451),
    dishType: 'burrito',
    city: 'San Diego',
    country: 'United States',
    cuisineTypes: index % 3 === 0 ? ['Mexican', 'Californian'] : ['Mexican'],
    notesSealed: index % 10 === 0 ? Buffer.alloc(60, index) : null,
  })
  const dishName = dishNames[index % dishNames.length] ?? ''
  const restaurantName = restaurantNames[index % restaurantNames.length] ?? ''
  return { type: 'DISH_RANKING_UPDATED', event: { ...event, dishName, restaurantName } }
}
