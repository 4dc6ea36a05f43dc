import { existsSync } from 'node:fs'

/** How the Java parts are started: small heap, one collector thread, quick compiler, class data archive. */
export function javaArguments(options: {
  readonly heapMiB: number
  readonly serverCompiler: boolean
  /** Use this archive if it exists. */
  readonly archive?: string | undefined
  /** Record an archive at exit instead of using one. */
  readonly recordArchive?: string | undefined
}): string[] {
  const args = [
    `-Xmx${options.heapMiB}m`,
    '-XX:+UseSerialGC',
    '-XX:+ExitOnOutOfMemoryError',
    '-Djava.awt.headless=true',
  ]
  if (!options.serverCompiler) args.push('-XX:TieredStopAtLevel=1')
  if (options.recordArchive !== undefined) args.push(`-XX:ArchiveClassesAtExit=${options.recordArchive}`)
  else if (options.archive !== undefined && existsSync(options.archive)) {
    // `auto`: an archive of another Java or class path is passed over, silently.
    args.push(`-XX:SharedArchiveFile=${options.archive}`, '-Xshare:auto')
  }
  return args
}
