/** The major version that `.node-version` and the development dependency `node` pin. */
export const nodeMajor = 24

/** Throws when this process runs on another major version of Node.js than the one the project is tested with. */
export function assertNodeVersion(version: string = process.versions.node): void {
  const major = Number.parseInt(version, 10)
  if (major === nodeMajor) return
  throw new Error(
    `Node.js ${nodeMajor} is required, this is ${version}: install Node.js ${nodeMajor} or run \`npm ci\` and use \`npx node\``,
  )
}
