export { deploy } from './deploy.ts'
export { historyMigrations, schema } from './migrations.ts'
