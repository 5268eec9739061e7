// Where a page of the API's second version is now, asked by its slug.
import { findConfigurationIdBySlug } from '../../adapters/storage/configurations.ts'
import type { Principal } from '../../core/account/principal.ts'
import { notFound } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import type { Tools } from '../tools.ts'

/** The path of the page with this slug. Problems: `notFound`. */
export async function findRedirect(
  { database }: Pick<Tools, 'database'>,
  { appId }: Principal & { readonly kind: 'key' },
  slug: string,
): Promise<Result<{ url: string }>> {
  const id = await findConfigurationIdBySlug(database, appId, slug)
  return id === undefined ? failure(notFound) : success({ url: `/scheduler/${appId}/${slug}` })
}
