import { signLocalToken } from './keys.ts'
import type { Layout } from './layout.ts'
import type { Platform } from './platform.ts'

/** What a person needs once everything is ready: where things are, a token, commands to try, what the read models say. */
export async function screenOf(options: { readonly layout: Layout; readonly platform: Platform }): Promise<string> {
  const { layout, platform } = options
  const { postgres, kafka, registry } = platform.endpoints
  const rows = [
    ['API', platform.apiUrl ?? '-'],
    ['PostgreSQL', postgres.ownerUrl],
    ['Kafka', kafka.brokers.join(',')],
    ['Registry', registry.url],
    ['Logs', `npm run local:logs [-- <name>] [--follow], files in ${layout.logs}`],
  ]
  const token = await signLocalToken(layout, { subject: 'local-admin', role: 'admin', expiresInSeconds: 43_200 })
  return `${rows.map(([name, value]) => `  ${name?.padEnd(12)} ${value}`).join('\n')}\n\nTOKEN=${token}\n`
}
