import { expect, it } from 'vitest'

import { waitForDatabase } from './waitForDatabase.ts'

const nowhere = { url: 'postgres://me@127.0.0.1:1/x' }

it('gives up with what keeps the database away when its patience has run out', async () => {
  const heard: unknown[] = []
  const waiting = waitForDatabase(nowhere, { patienceMs: 0, onAway: (error) => heard.push(error) })
  await expect(waiting).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  expect(heard).toEqual([])
})

it('ends when it is told to', async () => {
  const stop = new AbortController()
  const heard: unknown[] = []
  const onAway = (error: unknown) => {
    heard.push(error)
    stop.abort()
  }
  expect(await waitForDatabase(nowhere, { patienceMs: 600_000, onAway, signal: stop.signal })).toBe(false)
  expect(heard).toMatchObject([{ code: 'ECONNREFUSED' }])
})
