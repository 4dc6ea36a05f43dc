export { arrayOf } from './array-literals.ts'
export { type BinaryArray, binaryArray, binaryArrayOf } from './binary-arrays.ts'
export type { BinaryRows } from './binary-rows.ts'
export type { PostgresConfig, Queryable, QueryResult } from './connection.ts'
export { quoteIdentifier, quoteLiteral } from './connection.ts'
export { type DocumentedSchema, documentSchemas } from './document-schemas.ts'
export { dumpSchema } from './dump-schema.ts'
export { entityDiagram } from './entity-diagram.ts'
export {
  CommitOutcomeUnknown,
  constraintOf,
  isTransient,
  PoolTimeout,
  sqlStateOf,
  UnsupportedParameter,
} from './errors.ts'
export {
  assertMigrated,
  type Migration,
  type MigrationLog,
  MigrationMismatch,
  migrate,
  readMigrations,
} from './migrate.ts'
export { createPool, type Pool } from './pool.ts'
export { deployService, provisionService, type ServiceAccount, type ServiceDeployment } from './provision.ts'
export { openSession, type Session } from './session.ts'
export { inlineStatement, type Statement, statement } from './statement.ts'
export type { Transaction, TransactionOptions } from './transaction.ts'
export { settledTransactionStatus, type TransactionStatus, transactionStatus } from './transaction-status.ts'
