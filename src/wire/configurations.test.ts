import { describe, expect, it } from 'vitest'

import type { AppId, ConfigurationId, GrantId } from '../core/ids.ts'
import { type ConfigurationDocument, cleanDocument, mergeDocument, readConfiguration } from './configurations.ts'

const identity = { appId: 'a' as AppId, id: 'c' as ConfigurationId, grantId: 'g' as GrantId, version: 1 }
const block = { days: [1], start: '9:00', end: '17:30' }
const participant = {
  email: 'ada@host.example',
  availability: { calendar_ids: ['primary'] },
  booking: { calendar_id: 'primary' },
}

function read(document: object) {
  return readConfiguration(
    {
      participants: [participant],
      availability: { duration_minutes: 30 },
      event_booking: { title: 'Call' },
      ...document,
    } as ConfigurationDocument,
    identity,
  )
}

describe('open hours', () => {
  const hoursOf = (own: object, rules: object, event: object = {}) =>
    read({
      participants: [{ ...participant, ...own }],
      availability: { duration_minutes: 30, availability_rules: rules },
      event_booking: { title: 'Call', ...event },
    }).participants[0]?.hours

  it('of a participant replace the default ones, in the zone of the block, else of the participant, else of the event', () => {
    const own = (more: object, zone?: string) => ({
      ...(zone === undefined ? {} : { timezone: zone }),
      availability: { calendar_ids: [], open_hours: [{ ...block, ...more }] },
    })
    const rules = { default_open_hours: [{ ...block, start: '1:00' }] }
    const event = { timezone: 'Asia/Tokyo' }
    expect(hoursOf(own({ timezone: 'Europe/Paris' }, 'Asia/Dubai'), rules, event)?.weekly).toEqual([
      { days: [1], startMinute: 540, endMinute: 1_050, timezone: 'Europe/Paris', exdates: [] },
    ])
    expect(hoursOf(own({}, 'Asia/Dubai'), rules, event)?.weekly[0]?.timezone).toBe('Asia/Dubai')
    expect(hoursOf(own({}), rules, event)?.weekly[0]?.timezone).toBe('Asia/Tokyo')
    expect(hoursOf(own({}), rules)?.weekly[0]?.timezone).toBe('UTC')
  })

  it('by default stand in the zone of the event, and in their own only where it has none', () => {
    const rules = { default_open_hours: [{ ...block, timezone: 'Europe/Paris' }] }
    expect(hoursOf({ timezone: 'Asia/Dubai' }, rules, { timezone: 'Asia/Tokyo' })?.weekly[0]?.timezone).toBe(
      'Asia/Tokyo',
    )
    expect(hoursOf({}, rules)?.weekly[0]?.timezone).toBe('Europe/Paris')
  })

  it("of single dates: the participant's win over the default ones of the same date, the others stay", () => {
    const dates = hoursOf(
      { specific_time_availability: [{ date: '2030-01-01', start: '10:00', end: '11:00' }] },
      {
        default_specific_time_availability: [
          { date: '2030-01-01', start: '0:00', end: '0:00' },
          { date: '2030-01-02', start: '9:00', end: '10:00' },
        ],
      },
    )
    expect(dates?.specific.map(({ date, startMinute }) => [date, startMinute])).toEqual([
      ['2030-01-01', 600],
      ['2030-01-02', 540],
    ])
  })

  it('that are single dates only, said for all, cannot be undone by one', () => {
    expect(
      hoursOf({ only_specific_time_availability: false }, { only_specific_time_availability: true })?.onlySpecific,
    ).toBe(true)
    expect(hoursOf({ only_specific_time_availability: true }, {})?.onlySpecific).toBe(true)
    expect(hoursOf({}, {})?.onlySpecific).toBe(false)
  })
})

describe('what is left out', () => {
  it('has the defaults of the API', () => {
    expect(read({})).toMatchObject({
      intervalMinutes: 30,
      roundToMinutes: 15,
      method: 'collective',
      bufferBeforeMinutes: 0,
      bufferAfterMinutes: 0,
      availableDaysInFuture: 30,
      minBookingNoticeMinutes: 60,
      minCancellationNoticeMinutes: 0,
      bookingType: 'booking',
      requiresSessionAuth: false,
      timezone: 'UTC',
      organizerLocale: 'en',
    })
  })

  it('may be null', () => {
    expect(
      read({
        scheduler: null,
        slug: null,
        requires_session_auth: null,
        availability: { duration_minutes: 45, interval_minutes: null, round_to: null, availability_rules: null },
      }),
    ).toMatchObject({
      intervalMinutes: 45,
      roundToMinutes: 15,
      slug: undefined,
    })
  })

  it('makes a round robin of one a meeting of one', () => {
    expect(
      read({ availability: { duration_minutes: 30, availability_rules: { availability_method: 'max-fairness' } } })
        .method,
    ).toBe('collective')
  })
})

describe('the document', () => {
  it('loses unknown members at the top, keeps them inside, and spells dates left out of hours in one way', () => {
    const hours = { days: [1], start: '9:00', end: '17:00' }
    const rules = (spelling: string) => ({ default_open_hours: [{ ...hours, [spelling]: ['2030-01-01'] }] })
    const document = {
      id: 'mine',
      name: 'x',
      event_booking: { title: 'Call', later: 1, ex_dates: 'another thing' },
      availability: { duration_minutes: 30, availability_rules: rules('ex_dates') },
    }
    expect(cleanDocument(document as unknown as ConfigurationDocument)).toEqual({
      name: 'x',
      event_booking: { title: 'Call', later: 1, ex_dates: 'another thing' },
      availability: { duration_minutes: 30, availability_rules: rules('exdates') },
    })
  })

  it('is changed member by member, each whole', () => {
    const before = { name: 'x', scheduler: { min_booking_notice: 5 } } as ConfigurationDocument
    expect(mergeDocument(before, { scheduler: { available_days_in_future: 9 } })).toEqual({
      name: 'x',
      scheduler: { available_days_in_future: 9 },
    })
  })
})
