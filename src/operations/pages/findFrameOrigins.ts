// Which sites may show the pages of a configuration in a frame: those that it names, and no other.
import type { Principal } from '../../core/account/principal.ts'
import { decodeReference } from '../../core/booking/reference.ts'
import { type Result, success } from '../../core/result.ts'
import {
  type ConfigurationQuery,
  findKnownConfiguration,
  nameConfiguration,
} from '../configurations/loadConfiguration.ts'
import type { Tools } from '../tools.ts'

const anyone: Principal = { kind: 'anyone' }

/** Origins as the configuration has them, `*` for all; none for a configuration that is none, or that names none. */
export async function findFrameOrigins(
  tools: Pick<Tools, 'database'>,
  asked: ConfigurationQuery | { readonly reference: string },
): Promise<Result<readonly string[]>> {
  const query = 'reference' in asked ? { configuration_id: decodeReference(asked.reference)?.configurationId } : asked
  const named = await nameConfiguration(tools, anyone, query)
  if (!named.ok) return success([])
  // A guest may still move or cancel what was booked with a configuration that is no more.
  const known = await findKnownConfiguration(tools, named.value.appId, named.value.id, 'evenDeleted')
  return success(known.ok ? (known.value.document.scheduler?.allowed_origins ?? []) : [])
}
