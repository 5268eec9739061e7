import { describe, expect, it } from 'vitest'

import { instant } from '../time/instant.ts'
import type { Mail } from './mail.ts'
import { withUnheard } from './unheard.ts'

const at = (hour: number) => ({ start: instant(hour * 3_600_000), end: instant((hour + 1) * 3_600_000) })
const template = (heading: string) => ({ logo: '', heading, body: '', hasBranding: true })
/** Of a booking at `hour`, which was moved there from `from`. */
const mail = (kind: Mail['kind'], hour: number, from?: number): Mail =>
  ({
    kind,
    when: at(hour),
    ...(from === undefined ? {} : { before: at(from) }),
    template: template(kind === 'confirmed' ? 'Welcome' : ''),
    policy: kind === 'confirmed' ? 'No refunds' : '',
    description: `as of ${kind} ${hour}`,
  }) as Mail

describe('a mail that overtakes others', () => {
  it.each([
    ['a move that was not heard of', mail('changed', 2), [mail('rescheduled', 2, 1)], 'rescheduled', 1],
    ['two moves', mail('rescheduled', 3, 2), [mail('rescheduled', 2, 1)], 'rescheduled', 1],
    ['a move and back', mail('rescheduled', 1, 2), [mail('rescheduled', 2, 1)], 'changed', undefined],
    ['another change', mail('rescheduled', 2, 1), [mail('changed', 1)], 'rescheduled', 1],
    ['all of it', mail('changed', 2), [mail('confirmed', 1), mail('rescheduled', 2, 1)], 'confirmed', undefined],
    ['nothing', mail('rescheduled', 2, 1), [], 'rescheduled', 1],
    ['a request', mail('requestMoved', 2, 1), [mail('requestReceived', 1)], 'requestReceived', undefined],
    [
      'the move of a request whose people change',
      mail('requestReceived', 2),
      [mail('requestMoved', 2, 1)],
      'requestMoved',
      1,
    ],
    [
      'a request whose people change',
      mail('requestReceived', 2),
      [mail('requestReceived', 2)],
      'requestReceived',
      undefined,
    ],
    ['the move of one', mail('requestMoved', 3, 2), [mail('requestMoved', 2, 1)], 'requestMoved', 1],
    [
      'a question',
      mail('confirmationRequest', 2, 1),
      [mail('confirmationRequest', 1)],
      'confirmationRequest',
      undefined,
    ],
    ['whatever it ends', mail('cancelled', 2), [mail('confirmed', 1)], 'cancelled', undefined],
    ['the request it grants', mail('confirmed', 2), [mail('requestMoved', 2, 1)], 'confirmed', undefined],
  ] as const)('says what its reader has not heard: %s', (_, overtaking, unheard, kind, from) => {
    const said = withUnheard(overtaking, unheard)
    expect([said.kind, said.before]).toEqual([kind, from === undefined ? undefined : at(from)])
    expect([said.when, said.description]).toEqual([overtaking.when, overtaking.description])
  })

  it('greets who hears of the booking first as a confirmation does', () => {
    expect(withUnheard(mail('rescheduled', 2, 1), [mail('confirmed', 1)])).toMatchObject({
      template: { heading: 'Welcome' },
      policy: 'No refunds',
    })
  })
})
