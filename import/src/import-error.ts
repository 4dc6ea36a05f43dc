/** What makes an import end early. Its code decides the exit status, its message is written for the person at the keyboard. */
export type ImportErrorCode =
  /** The command line makes no sense. */
  | 'usage'
  /** The mapping is not valid, or does not fit the file. */
  | 'mapping'
  /** The file, or a file joined to it, cannot be read to its end. Nothing was sent. */
  | 'unreadable-file'
  /** The API refused or was away for longer than is waited for. What was accepted before stays accepted. */
  | 'stopped'

export class ImportError extends Error {
  readonly code: ImportErrorCode

  constructor(code: ImportErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'ImportError'
    this.code = code
  }
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
