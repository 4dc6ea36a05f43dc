/** The rule that the registry enforces (FULL_TRANSITIVE), checked before anything reaches a registry. */
import avsc from 'avsc'

/**
 * What stands between two versions of a record: each must be able to read what the other wrote. Empty when nothing does.
 */
export function incompatibilities(currentJson: string, earlierJson: string): readonly string[] {
  const current = avsc.Type.forSchema(JSON.parse(currentJson))
  const earlier = avsc.Type.forSchema(JSON.parse(earlierJson))
  return [
    ...resolutionFault('the current schema cannot read the earlier one', current, earlier),
    ...resolutionFault('the earlier schema cannot read the current one', earlier, current),
  ]
}

function resolutionFault(what: string, reader: avsc.Type, writer: avsc.Type): readonly string[] {
  try {
    reader.createResolver(writer)
    return []
  } catch (error) {
    return [`${what}: ${(error as Error).message}`]
  }
}

/** Whether two schemas differ in nothing but documentation. */
export function isSameSchema(leftJson: string, rightJson: string): boolean {
  return withoutDocs(leftJson) === withoutDocs(rightJson)
}

function withoutDocs(schemaJson: string): string {
  return JSON.stringify(JSON.parse(schemaJson), (key, value: unknown) => (key === 'doc' ? undefined : value))
}
