// Is the server up? Says no more than that.
import Type from 'typebox'

import { success } from '../../core/result.ts'
import { type Route, route } from '../route.ts'

export const healthRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/healthz',
    guard: 'public',
    tag: 'Operation',
    summary: 'Up, with its database; otherwise 503',
    bare: Type.Object({ status: Type.Literal('up') }),
    handle: async ({ operations }) => {
      const checked = await operations.checkHealth()
      return checked.ok ? success({ bare: { status: 'up' } }) : checked
    },
  }),
]
