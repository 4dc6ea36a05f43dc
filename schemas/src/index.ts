export {
  type AppliedTopic,
  applyTopics,
  type SettingDifference,
  TopicMismatch,
  type TopicOptions,
  topicConfigs,
} from './apply-topics.ts'
export { type Codec, type CodecOptions, createCodec } from './codec.ts'
export { type Deployed, type DeployOptions, deploySchemas } from './deploy.ts'
export { type ContextField, dictionary, type EventDefinition, eventByName } from './dictionary.ts'
export { EVENT_CATEGORIES } from './event-categories.ts'
export type * from './generated/events.ts'
export * from './generated/ids.ts'
export { type TopicName, topics } from './generated/topics.ts'
export type { Id } from './id.ts'
export { InvalidPayload, type InvalidPayloadCode } from './invalid-payload.ts'
export { type RegisteredSubject, registerSchemas, releasedSubjects, type SubjectSchema } from './register-schemas.ts'
export {
  IncompatibleSchema,
  type RegistryClient,
  type RegistryOptions,
  registryClient,
  SchemaNotRegistered,
} from './registry.ts'
export { type SchemaDefinitions, schemaDefinitions } from './schema-definitions.ts'
export type { NewTopic, TopicAdmin, TopicState } from './topic-admin.ts'
export type { TopicDefinition } from './topics.ts'
export { peekSchemaId } from './wire-format.ts'
