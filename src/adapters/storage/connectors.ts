// Connectors: an application's own registration at a provider. Its secret is sealed, and read by nobody but the towers.
import type { Connector } from '../../core/account/connector.ts'
import type { GrantProvider } from '../../core/account/grant.ts'
import type { Transaction } from './database/database.ts'
import { sql } from './database/sql.ts'
import type { Place } from './secrets/sealing.ts'
import type { Vault } from './secrets/vault.ts'

const columns = sql`provider, name, settings, scope, active_credential_id as "activeCredentialId", created_at as "createdAt", updated_at as "updatedAt"`

async function sealOrNull(
  transaction: Transaction,
  vault: Vault,
  provider: ConnectorWrite['provider'],
  secret: string | undefined,
): Promise<Buffer | null> {
  return secret === undefined ? null : vault.seal(transaction, place(transaction, provider), secret)
}

function place(transaction: Transaction, provider: GrantProvider): Place {
  return { appId: transaction.appId, table: 'connectors', row: provider, column: 'secret_sealed' }
}

export function listConnectors(
  transaction: Transaction,
  page: { readonly limit: number; readonly offset: number },
): Promise<Connector[]> {
  return transaction.query<Connector>(sql`
    select ${columns} from openslot.connectors where app_id = ${transaction.appId} order by provider limit ${page.limit} offset ${page.offset}`)
}

export async function findConnector(transaction: Transaction, provider: string): Promise<Connector | undefined> {
  const [row] = await transaction.query<Connector>(sql`
    select ${columns} from openslot.connectors where app_id = ${transaction.appId} and provider = ${provider} for no key update`)
  return row
}

export type ConnectorWrite = Omit<Connector, 'createdAt' | 'updatedAt'>

/** Undefined where the provider has one. `secret` is sealed before it is written. */
export async function insertConnector(
  transaction: Transaction,
  vault: Vault,
  connector: ConnectorWrite,
  secret: string | undefined,
): Promise<Connector | undefined> {
  const sealed = await sealOrNull(transaction, vault, connector.provider, secret)
  const [row] = await transaction.query<Connector>(sql`
    insert into openslot.connectors (app_id, provider, name, settings, scope, active_credential_id, secret_sealed)
    values (${transaction.appId}, ${connector.provider}, ${connector.name}, ${JSON.stringify(connector.settings)}, ${connector.scope}::text[],
      ${connector.activeCredentialId}, ${sealed})
    on conflict do nothing returning ${columns}`)
  return row
}

/** Without `secret` the sealed one stays. */
export async function updateConnector(
  transaction: Transaction,
  vault: Vault,
  connector: ConnectorWrite,
  secret: string | undefined,
): Promise<Connector | undefined> {
  const sealed = await sealOrNull(transaction, vault, connector.provider, secret)
  const [row] = await transaction.query<Connector>(sql`
    update openslot.connectors set name = ${connector.name}, settings = ${JSON.stringify(connector.settings)}, scope = ${connector.scope}::text[],
      active_credential_id = ${connector.activeCredentialId}, secret_sealed = coalesce(${sealed}::bytea, secret_sealed), updated_at = now()
    where app_id = ${transaction.appId} and provider = ${connector.provider} returning ${columns}`)
  return row
}

export async function deleteConnector(transaction: Transaction, provider: string): Promise<boolean> {
  const rows = await transaction.query(sql`
    delete from openslot.connectors where app_id = ${transaction.appId} and provider = ${provider} returning provider`)
  return rows.length > 0
}
