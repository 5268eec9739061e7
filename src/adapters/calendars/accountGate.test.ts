import { expect, test, vi } from 'vitest'

import { failure, success } from '../../core/result.ts'
import { AccountGate, type Urgency } from './accountGate.ts'

const forever = new AbortController().signal

/** Starts work that ends when it is told to. */
function start(gate: AccountGate, urgency: Urgency, name = 'a', signal = forever) {
  const work = Promise.withResolvers<string>()
  const state = { hasBegun: false, end: () => work.resolve('done'), fail: () => work.reject(new Error('broke')) }
  const answer = gate.run(name, urgency, signal, () => {
    state.hasBegun = true
    return work.promise
  })
  return Object.assign(state, { answer })
}
const begun = (all: readonly { hasBegun: boolean }[]) => all.filter(({ hasBegun }) => hasBegun).length

test('an account carries four calls at once, and the others when their turn comes', async () => {
  const gate = new AccountGate()
  const calls = Array.from({ length: 6 }, () => start(gate, 'someoneWaits'))
  const other = start(gate, 'someoneWaits', 'b')
  await vi.waitFor(() => expect(begun([...calls, other])).toBe(5))
  expect(other.hasBegun).toBe(true)
  calls[0]?.end()
  await vi.waitFor(() => expect(begun(calls)).toBe(5))
  for (const call of calls) call.end()
  expect(await Promise.all(calls.map(({ answer }) => answer))).toEqual(Array(6).fill('done'))
})

test('work that nobody waits for leaves room, and goes behind a guest who came later', async () => {
  const gate = new AccountGate()
  const background = Array.from({ length: 4 }, () => start(gate, 'inBackground'))
  await vi.waitFor(() => expect(begun(background)).toBe(2))
  const guests = Array.from({ length: 3 }, () => start(gate, 'someoneWaits'))
  await vi.waitFor(() => expect(begun(guests)).toBe(2))
  background[0]?.end()
  await vi.waitFor(() => expect(begun(guests)).toBe(3))
  expect(begun(background)).toBe(2)
  for (const call of [...background, ...guests]) call.end()
  expect(await Promise.all([...background, ...guests].map(({ answer }) => answer))).toEqual(Array(7).fill('done'))
})

test('a call that breaks gives its place back', async () => {
  const gate = new AccountGate()
  for (let round = 0; round < 8; round++) {
    const call = start(gate, 'someoneWaits')
    call.fail()
    await expect(call.answer).rejects.toThrow('broke')
  }
  const last = start(gate, 'someoneWaits')
  last.end()
  expect(await last.answer).toBe('done')
})

test('whoever waited too long is told, and takes no place later', async () => {
  const gate = new AccountGate()
  const calls = Array.from({ length: 4 }, () => start(gate, 'someoneWaits'))
  const patience = new AbortController()
  const late = start(gate, 'someoneWaits', 'a', patience.signal)
  await vi.waitFor(() => expect(begun(calls)).toBe(4))
  patience.abort()
  expect(await late.answer).toBe('tooLate')
  for (const call of calls) call.end()
  await Promise.all(calls.map(({ answer }) => answer))
  expect(late.hasBegun).toBe(false)
})

test('an account that asked for peace gets it: at once an answer, and no call', async () => {
  const gate = new AccountGate()
  gate.quiet('a', 30)
  const guest = start(gate, 'someoneWaits')
  const poll = start(gate, 'inBackground')
  expect(await guest.answer).toEqual({ notNowSeconds: 30 })
  expect(await poll.answer).toEqual({ notNowSeconds: 30 })
  expect(begun([guest, poll])).toBe(0)
  const other = start(gate, 'inBackground', 'b')
  other.end()
  expect(await other.answer).toBe('done')
})

/** One call that asks about so many things, each of which ends when it is told to. */
function startEach(gate: AccountGate, urgency: Urgency, count: number) {
  const asked: { isOver: boolean; end(): void; refuse(): void; fail(): void }[] = []
  const ask = (item: number) =>
    new Promise<ReturnType<typeof success<string>> | ReturnType<typeof failure>>((resolve, reject) =>
      asked.push({
        isOver: false,
        end() {
          this.isOver = true
          resolve(success(`answer ${item}`))
        },
        refuse: () => resolve(failure({ kind: 'grantExpired', message: `refused ${item}` })),
        fail: () => reject(new Error(`broke ${item}`)),
      }),
    )
  const items = Array.from({ length: count }, (_, index) => index)
  const answer = gate.run('a', urgency, forever, (askEach) => askEach(items, ask))
  return { asked, answer }
}

test.each([
  ['someoneWaits', 4],
  ['inBackground', 2],
] as const)('a call that asks much (%s) asks %i at once, and has its answers in order', async (urgency, most) => {
  const { asked, answer } = startEach(new AccountGate(), urgency, 9)
  for (let done = 0; done < 9; done++) {
    await vi.waitFor(() => expect(asked.length).toBe(Math.min(9, done + most)))
    // Whoever was asked last answers first.
    asked.findLast(({ isOver }) => !isOver)?.end()
  }
  expect(await answer).toEqual(success(Array.from({ length: 9 }, (_, index) => `answer ${index}`)))
})

test('a call that asks much gives the places that it borrowed to whoever comes', async () => {
  const gate = new AccountGate()
  const { asked, answer } = startEach(gate, 'someoneWaits', 9)
  await vi.waitFor(() => expect(asked.length).toBe(4))
  const guest = start(gate, 'someoneWaits')
  asked[1]?.end()
  await vi.waitFor(() => expect(guest.hasBegun).toBe(true))
  expect(asked.length).toBe(4)
  guest.end()
  expect(await guest.answer).toBe('done')
  for (let index = 0; index < 9; index++) {
    await vi.waitFor(() => expect(asked.length).toBeGreaterThan(index))
    asked[index]?.end()
  }
  expect((await answer) as object).toMatchObject({ ok: true })
})

test('a call that asks much ends with the first problem, asks no more, and gives all its places back', async () => {
  const gate = new AccountGate()
  const { asked, answer } = startEach(gate, 'someoneWaits', 9)
  await vi.waitFor(() => expect(asked.length).toBe(4))
  asked[2]?.refuse()
  for (const index of [0, 1, 3]) asked[index]?.end()
  expect(await answer).toEqual(failure({ kind: 'grantExpired', message: 'refused 2' }))
  expect(asked.length).toBe(4)
  const next = Array.from({ length: 4 }, () => start(gate, 'someoneWaits'))
  await vi.waitFor(() => expect(begun(next)).toBe(4))
  for (const call of next) call.end()
})

test.each([0, 2])('a call of whose questions one breaks (%i) breaks once the others are done', async (broken) => {
  const gate = new AccountGate()
  const { asked, answer } = startEach(gate, 'someoneWaits', 4)
  await vi.waitFor(() => expect(asked.length).toBe(4))
  asked[broken]?.fail()
  for (const [index, question] of asked.entries()) if (index !== broken) question.end()
  await expect(answer).rejects.toThrow(`broke ${broken}`)
  const next = Array.from({ length: 4 }, () => start(gate, 'someoneWaits'))
  await vi.waitFor(() => expect(begun(next)).toBe(4))
  for (const call of next) call.end()
})
