// What a route is: a line of the route table, with its guard, its schemas and what it calls.
import Type, { type Static, type TObject, type TSchema } from 'typebox'

import type { Grant } from '../core/account/grant.ts'
import type { Principal } from '../core/account/principal.ts'
import type { Result } from '../core/result.ts'
import type { Operations } from '../operations/operations.ts'
import { selectQuery } from '../wire/common.ts'

/**
 * Who may call. A route without one does not compile.
 *
 * `key`: the holder of an API key · `grant`: an API key, or an access token of the grant in the path ·
 * `keyOrToken`: the same without a grant in the path · `token`: an access token only ·
 * `scheduler`: a session, or anyone where the configuration is public · `public`: anyone.
 */
export type Guard = 'key' | 'grant' | 'keyOrToken' | 'token' | 'scheduler' | 'public'

/** A success on its way to the envelope `{request_id, data, next_cursor}`. */
export type Answer = {
  readonly data?: unknown
  /** `data` already as JSON text: for what is answered often and kept. */
  readonly dataJson?: string | undefined
  readonly nextCursor?: string | undefined
  /** Further members beside `data`, as `limit` and `offset`. */
  readonly beside?: object
  /** The whole body, without an envelope: OAuth answers. */
  readonly bare?: object
  readonly headers?: Readonly<Record<string, string>>
  /** A repeat, or all was as asked for already: limits do not count it. */
  readonly changedNothing?: true
}

export type RouteRequest<Params, Query, Body> = {
  readonly principal: Principal
  readonly params: Params
  readonly query: Query
  readonly body: Body
  readonly requestId: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly operations: Operations
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** `data` is the schema of the answer's `data`; absent where the body is `{request_id}` alone, optional where it may be. */
type RouteShape<Params extends TSchema, Query extends TSchema, Body extends TSchema> = {
  readonly method: Method
  /** As Fastify spells it: `/v3/grants/:grant_id/calendars`. */
  readonly path: string
  readonly guard: Guard
  /** Whom the description names, where the guard lets others in as well to tell them why not. */
  readonly callers?: Guard
  readonly tag: string
  readonly summary: string
  readonly description?: string
  readonly params?: Params
  readonly query?: Query
  readonly body?: Body
  readonly data?: TSchema
  /** For lists with a cursor. */
  readonly isList?: true
  /** Schema of the whole body where there is no envelope. */
  readonly bare?: TSchema
  /** Schemas of members beside `data`. */
  readonly beside?: Readonly<Record<string, TSchema>>
  readonly status?: 201
  /** `false`: a door of the wire that is shut here, whose every answer is a problem. */
  readonly isServed?: false
  /** Bodies may also be forms; `acceptBodies` reads them on these paths. */
  readonly takesForms?: true
  /** Bytes; 256 KB where absent. */
  readonly bodyLimit?: number
}

export type Route = RouteShape<TSchema, TSchema, TSchema> & {
  handle(request: RouteRequest<never, never, never> & { readonly grant: Grant }): Promise<Result<Answer>>
}

type GuardedRequest<G extends Guard, Params, Query, Body> = RouteRequest<Params, Query, Body> &
  (G extends 'grant' ? { readonly grant: Grant } : unknown)

type StaticOr<Schema extends TSchema, Otherwise> = TSchema extends Schema ? Otherwise : Static<Schema>

/** One line of the route table; the handler's types come from the schemas. */
export function route<
  G extends Guard,
  Params extends TSchema = TSchema,
  Query extends TSchema = TSchema,
  Body extends TSchema = TSchema,
>(
  spec: RouteShape<Params, Query, Body> & { readonly guard: G } & {
    handle(
      request: GuardedRequest<G, StaticOr<Params, object>, StaticOr<Query, object>, StaticOr<Body, undefined>>,
    ): Promise<Result<Answer>>
  },
): Route {
  return withSelect(spec as unknown as Route)
}

/** Whatever answers data may be asked for some of it; `addRoute` sees to it. */
function withSelect(line: Route): Route {
  if (line.data === undefined || line.method === 'DELETE') return line
  const asked = line.query as TObject | undefined
  return { ...line, query: Type.Object({ ...asked?.properties, select: selectQuery }) }
}
