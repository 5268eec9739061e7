import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, it } from 'vitest'

import { TooMuchWork, Work } from './work.ts'

it('does one piece in a turn of the process, however much work is under way', async () => {
  let turn = 0
  let isDone = false
  const counting = (async () => {
    while (!isDone) {
      await nextTurn()
      turn += 1
    }
  })()
  const turns: number[] = []
  const labour = async () => {
    const work = new Work()
    for (let piece = 0; piece < 3; piece += 1) {
      await work.breathe()
      turns.push(turn)
    }
  }
  await Promise.all(Array.from({ length: 5 }, labour))
  isDone = true
  await counting
  expect(turns).toHaveLength(15)
  expect(new Set(turns).size).toBe(15)
})

it('is spent by what a series is written in too', () => {
  const work = new Work(100)
  work.beginSeries(['RRULE:FREQ=DAILY'])
  expect(() => work.beginSeries(['x'.repeat(1_700)])).toThrow(TooMuchWork)
})
