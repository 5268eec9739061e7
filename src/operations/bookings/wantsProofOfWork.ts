// Whether guests of a configuration are asked for a proof of work while it is busy.
import type { Principal } from '../../core/account/principal.ts'
import type { ConfigurationId } from '../../core/ids.ts'
import { type Result, success } from '../../core/result.ts'
import { type ConfigurationQuery, resolveConfiguration } from '../configurations/loadConfiguration.ts'
import type { Tools } from '../tools.ts'

/** Problems: those of `resolveConfiguration`. */
export async function wantsProofOfWork(
  tools: Pick<Tools, 'database'>,
  principal: Principal,
  query: ConfigurationQuery,
): Promise<Result<{ configurationId: ConfigurationId; wants: boolean }>> {
  const known = await resolveConfiguration(tools, principal, query)
  if (!known.ok) return known
  const { configuration, document } = known.value
  return success({ configurationId: configuration.id, wants: document.scheduler?.proof_of_work === true })
}
