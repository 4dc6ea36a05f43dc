/** Imports of rating files through the public API, for programs; for people there is `npm run import`. */
export { ImportError, type ImportErrorCode } from './import-error.ts'
export { type ImportOptions, importFile } from './import-file.ts'
export { checkMapping, type Mapping, readMapping } from './mapping.ts'
export { createProgress, type Progress } from './progress.ts'
export { describeReport, type ImportReport } from './report.ts'
