import { describe, expect, it } from 'vitest'

import { instant } from '../../../core/time/instant.ts'
import { join, preparedName, sql, toTimestamp } from './sql.ts'

describe('sql', () => {
  it('makes parameters of values, never text', () => {
    expect(sql`select ${"'; drop table x"} where a = ${1}`).toMatchObject({
      text: 'select $1 where a = $2',
      values: ["'; drop table x", 1],
    })
  })

  it('numbers the parameters of nested pieces anew', () => {
    const condition = join([sql`a = ${1}`, sql`b in (${2}, ${3})`], 'and')
    expect(sql`select ${0} where ${condition} limit ${4}`).toMatchObject({
      text: 'select $1 where a = $2 and b in ($3, $4) limit $5',
      values: [0, 1, 2, 3, 4],
    })
  })

  it('joins nothing to nothing', () => {
    expect(join([], ',')).toMatchObject({ text: '', values: [] })
  })

  it('names the same text the same and another text otherwise', () => {
    expect(preparedName('select 1')).toBe(preparedName('select 1'))
    expect(preparedName('select 1')).not.toBe(preparedName('select 2'))
  })

  it('writes every instant as the database can read it', () => {
    expect([-8.64e15, 0, 8.64e15].map((at) => toTimestamp(instant(at)))).toEqual([
      '0001-01-01T00:00:00.000Z',
      '1970-01-01T00:00:00.000Z',
      '9999-12-31T23:59:59.999Z',
    ])
  })
})
