// The command that shows what was done, and by whom.
import { type Command, type Invocation, UsageError } from './command.ts'
import { applicationOption, findApplication, unwrap, withApp } from './withApp.ts'

const pageSize = 200
const mostRows = 10_000

export const auditCommand: Command = {
  name: 'audit',
  isAboutData: true,
  meaning: 'Show what was done in an application, by whom and from where, newest first',
  options: {
    app: applicationOption,
    action: { type: 'string', value: 'ACTION', meaning: 'only those, as booking.create or key.revoked' },
    actor: { type: 'string', value: 'ACTOR', meaning: 'only what they did, as key:ID, anyone, cli or worker' },
    target: { type: 'string', value: 'ID', meaning: 'only what was done to this' },
    limit: { type: 'string', value: 'COUNT', meaning: `how many at most, up to ${mostRows}; 50 where absent` },
  },
  run: async ({ config, options }) => {
    const limit = readLimit(options)
    return withApp(config, async (operations) => {
      const appId = await findApplication(operations, options)
      const read = async (count: number, after: string | undefined) =>
        unwrap(
          await operations.readAudit(appId, {
            limit: Math.min(count, pageSize),
            after,
            action: text(options.action),
            actor: text(options.actor),
            target: text(options.target),
          }),
        )
      let page = await read(limit, undefined)
      const entries = [...page.entries]
      while (entries.length < limit && page.nextCursor !== undefined) {
        page = await read(limit - entries.length, page.nextCursor)
        entries.push(...page.entries)
      }
      const line = ({ at, actor, address, action, target, detail }: (typeof entries)[number]) =>
        [
          new Date(at * 1_000).toISOString(),
          action.padEnd(20),
          actor,
          address ?? '-',
          target ?? '-',
          ...(Object.keys(detail).length === 0 ? [] : [JSON.stringify(detail)]),
        ].join('  ')
      return { json: entries, text: entries.map(line).join('\n') || 'There is no such entry.' }
    })
  },
}

function readLimit(options: Invocation['options']): number {
  const limit = Number(text(options.limit) ?? 50)
  if (!Number.isInteger(limit) || limit < 1 || limit > mostRows)
    throw new UsageError(`--limit must be a whole number from 1 to ${mostRows}.`)
  return limit
}

function text(value: string | boolean | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}
