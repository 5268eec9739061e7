import { describe, expect, it } from 'vitest'

import { join, preparedName, sql } from './sql.ts'

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
})
