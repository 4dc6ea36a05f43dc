import { randomUUID } from 'node:crypto'
import { readArguments, readDurationSeconds, UsageError } from '../arguments.ts'
import type { Command } from '../commands.ts'
import { type Role, roles, signLocalToken } from '../keys.ts'
import { layoutOf } from '../layout.ts'

const help = `Prints a token for the embedded platform.

  npm run token -- --role user|service|admin [--user <uuid>] [--expires-in <duration>]

  --role <role>          user: acts for itself; service: may send batches; admin
  --user <uuid>          whose token; for the role user a new user when left out
  --expires-in <d>       90s, 15m, 12h (the default), 30d

The token is signed by the key pair in .local/keys, made on first use. Only the token goes to the standard output.`

export const tokenCommand: Command = {
  summary: 'prints a token of a role',
  help,
  async run(args) {
    const { role, subject, expiresInSeconds } = readTokenArguments(args)
    const token = await signLocalToken(layoutOf(), { role, subject, expiresInSeconds })
    process.stderr.write(`role ${role}, subject ${subject}\n`)
    process.stdout.write(`${token}\n`)
    return 0
  },
}

/** What the command line asks for. Throws UsageError. */
export function readTokenArguments(args: readonly string[]): { role: Role; subject: string; expiresInSeconds: number } {
  const { values } = readArguments(args, {
    role: { type: 'string' },
    user: { type: 'string' },
    'expires-in': { type: 'string', default: '12h' },
  })
  if (values.role === undefined) throw new UsageError(`--role is missing: one of ${roles.join(', ')}`)
  const role = roles.find((known) => known === values.role)
  if (role === undefined) throw new UsageError(`--role ${values.role} is not one of ${roles.join(', ')}`)
  const user = values.user?.toLowerCase()
  if (user !== undefined && !uuidPattern.test(user)) throw new UsageError(`--user ${values.user} is not a UUID`)
  return {
    role,
    subject: user ?? (role === 'user' ? randomUUID() : `local-${role}`),
    expiresInSeconds: readDurationSeconds('--expires-in', values['expires-in']),
  }
}

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
