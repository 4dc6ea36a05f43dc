/** Ids are lower-case UUIDs. The brand keeps an id of a user from being passed where one of a dish is meant. */

declare const brand: unique symbol

export type Id<Brand extends string> = string & { readonly [brand]: Brand }

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** The text as an id. @throws TypeError when it is no lower-case UUID. */
export function parseId<Brand extends string>(name: Brand, text: string): Id<Brand> {
  if (!uuidPattern.test(text)) throw new TypeError(`${name} must be a lower-case UUID, not ${JSON.stringify(text)}`)
  return text as Id<Brand>
}
