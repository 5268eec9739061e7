import { expect, it } from 'vitest'

import { calendarRoutes } from '../../src/http/routes/calendars.ts'
import { findViolations, hasContract } from './contract.ts'

const show = calendarRoutes.find(({ method, path }) => method === 'GET' && path.endsWith(':calendar_id'))
const calendar = {
  id: 'c',
  grant_id: 'g',
  object: 'calendar',
  name: 'x',
  timezone: 'UTC',
  is_primary: true,
  is_owned_by_user: true,
  read_only: false,
}

const violations = (body: object) => {
  if (show === undefined) throw new Error('no such route')
  return findViolations({ route: show, status: 200, body, isSelection: false })
}

it('an answer is held against our own schema', () => {
  expect(violations({ request_id: 'r', data: calendar })).toEqual([])
  expect(violations({ request_id: 'r', data: { ...calendar, is_primary: 'yes' } }).join()).toContain(
    '(our schema): /data/is_primary',
  )
  expect(violations({ data: calendar }).join()).toContain('request_id')
  expect(violations({ request_id: 'r', data: { ...calendar, more: 1 } }).join()).toContain('"more"')
})

// Skipped where the folder that OPENSLOT_CONTRACTS names is absent.
it.skipIf(!hasContract)("an answer is held against the vendor's contract", () => {
  expect(violations({ request_id: 'r', data: { ...calendar, is_primary: 'yes' } }).join()).toContain(
    '(contract): /data/is_primary',
  )
})
