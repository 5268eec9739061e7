/** Configurations over HTTP: every field comes back, changes replace what they name, and what is wrong is named. */
import { describe, expect, it } from 'vitest'

import { book, configurationBody, makeConfiguration, makeHost, nearFuture, participant } from '../support/hosts.ts'
import { startTestServer } from '../support/server.ts'

const server = await startTestServer()
const host = await makeHost(server, 'ada@host.example')
const colleague = await makeHost(server, 'bob@host.example')
const base = `/v3/grants/${host.grantId}/scheduling/configurations`
const start = nearFuture()

const availability = (query: string, token: string | null = null) =>
  server.request('GET', `/v3/scheduling/availability?${query}&start_time=${start}&end_time=${start + 7_200}`, { token })

const everything = {
  name: 'Everything',
  slug: 'everything',
  requires_session_auth: false,
  participants: [
    {
      email: host.email,
      name: 'Ada Host',
      is_organizer: true,
      timezone: 'Europe/Paris',
      availability: {
        calendar_ids: ['primary'],
        open_hours: [
          { days: [1, 2, 3], start: '9:00', end: '17:30', timezone: 'Europe/Paris', exdates: ['2030-03-05'] },
        ],
      },
      booking: { calendar_id: 'primary' },
      specific_time_availability: [{ date: '2030-03-06', start: '10:00', end: '11:00', timezone: 'Europe/Paris' }],
      only_specific_time_availability: false,
    },
    { email: 'told@elsewhere.example', name: 'Only Told' },
  ],
  availability: {
    duration_minutes: 45,
    interval_minutes: 15,
    round_to: 30,
    availability_rules: {
      availability_method: 'collective',
      buffer: { before: 10, after: 5 },
      default_open_hours: [{ days: [0, 1, 2, 3, 4, 5, 6], start: '0:00', end: '23:59', exdates: ['2030-12-25'] }],
      default_specific_time_availability: [{ date: '2030-12-24', start: '09:00', end: '12:00' }],
      only_specific_time_availability: false,
      tentative_as_busy: true,
    },
  },
  event_booking: {
    title: 'Call with ${invitee}',
    description: 'About ${topic}',
    location: 'Room 1',
    timezone: 'Europe/Paris',
    booking_type: 'organizer-confirmation',
    conferencing: { provider: 'Zoom Meeting', details: { url: 'https://zoom.example/1', meeting_code: '123' } },
    disable_emails: true,
    hide_participants: true,
    notify_participants: true,
    reminders: [{ type: 'email', minutes_before_event: 30, recipient: 'all', email_subject: 'Soon' }],
  },
  scheduler: {
    available_days_in_future: 60,
    min_booking_notice: 90,
    min_cancellation_notice: 120,
    cancellation_policy: 'Tell us a day before.',
    rescheduling_url: 'https://page.example/r/:booking_ref',
    cancellation_url: 'https://page.example/c/:booking_ref',
    organizer_confirmation_url: 'https://page.example/o/:booking_ref',
    confirmation_redirect_url: 'https://page.example/thanks',
    hide_rescheduling_options: true,
    hide_cancellation_options: true,
    hide_additional_guests: true,
    additional_fields: {
      topic: {
        label: 'Topic',
        type: 'dropdown',
        required: true,
        options: ['Sales', 'Support'],
        order: 1,
        default: 'Sales',
        pattern: '',
      },
    },
    email_template: {
      organizer_locale: 'fr',
      logo: 'https://page.example/logo.png',
      booking_confirmed: { title: 'See you', body: 'Bring tea' },
    },
  },
  appearance: {
    color: '#123456',
    company_logo_url: 'https://page.example/logo.png',
    submit_button_label: 'Go',
    thank_you_message: 'Thanks',
  },
}

/** Every field that is documented for a configuration, those that `everything` lacks among them. */
const complete = {
  ...everything,
  participants: everything.participants.map((person, index) =>
    index === 0 ? { ...person, grant_id: host.grantId } : person,
  ),
  availability: {
    ...everything.availability,
    availability_rules: {
      ...everything.availability.availability_rules,
      default_specific_time_availability: [
        { date: '2030-12-24', start: '09:00', end: '12:00', timezone: 'Europe/Paris' },
      ],
      round_robin_group_id: 'sales',
    },
  },
  event_booking: {
    ...everything.event_booking,
    reminders: [
      { type: 'email', minutes_before_event: 30, recipient: 'guest', email_subject: 'Soon' },
      { type: 'email', minutes_before_event: 60, recipient: 'host' },
      { type: 'webhook', minutes_before_event: 5 },
    ],
  },
  scheduler: {
    ...everything.scheduler,
    additional_fields: Object.fromEntries(
      [
        'text',
        'multi_line_text',
        'email',
        'phone_number',
        'dropdown',
        'date',
        'checkbox',
        'radio_button',
        'metadata',
        'multi_select',
      ].map((type, index) => [
        type,
        {
          label: type,
          type,
          required: false,
          order: index,
          default: '',
          pattern: '',
          ...(['dropdown', 'radio_button', 'multi_select'].includes(type) ? { options: ['A', 'B'] } : {}),
        },
      ]),
    ),
    email_template: { ...everything.scheduler.email_template, show_nylas_branding: false },
    notetaker_settings: {
      enabled: true,
      show_ui_consent_message: false,
      notetaker_name: 'Scribe',
      meeting_settings: {
        action_items: true,
        summary: true,
        transcription: true,
        video_recording: false,
        audio_recording: true,
        action_items_settings: { custom_instructions: 'Short' },
        summary_settings: { custom_instructions: 'Shorter' },
        leave_after_silence_seconds: 60,
      },
    },
  },
  appearance: { ...everything.appearance, company_name: 'Acme' },
}

describe('a configuration', () => {
  it('comes back with every field as it was sent, made, read and listed', async () => {
    const made = await server.request('POST', base, { body: everything })
    expect(made.body.error).toBeUndefined()
    const { id, ...rest } = made.body.data
    expect(rest).toEqual(everything)
    expect((await server.request('GET', `${base}/${id}`)).body.data).toEqual(made.body.data)
    const listed = await server.request('GET', base)
    expect(listed.body.data.find((item: { id: string }) => item.id === id)).toEqual(made.body.data)
    // The reference holds it in 16 bytes.
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/)
  })

  it('that is sent back whole, as editors do, with its id and what was added to it, stays as it is', async () => {
    const made = await server.request('POST', base, { body: { ...complete, slug: 'complete' } })
    expect(made.body.error).toBeUndefined()
    const { id, ...rest } = made.body.data
    expect(rest).toEqual({ ...complete, slug: 'complete' })
    const shown = (await server.request('GET', `${base}/${id}`)).body.data
    for (const method of ['PUT', 'PATCH']) {
      const returned = await server.request(method, `${base}/${id}`, {
        body: { ...shown, version: '1.0.0', object: 'configuration', created_at: 1, modified_at: 2 },
      })
      expect(returned.body.error).toBeUndefined()
      expect(returned.body.data).toEqual(shown)
      expect((await server.request('GET', `${base}/${id}`)).body.data).toEqual(shown)
    }
    // Nor does a change of one member touch another.
    await server.request('PUT', `${base}/${id}`, { body: { name: 'Renamed' } })
    expect((await server.request('GET', `${base}/${id}`)).body.data).toMatchObject({ ...shown, name: 'Renamed' })
  })

  it('may hold more than is understood, of any kind, and can still be changed', async () => {
    const strange = { toString: 1, valueOf: null, constructor: { name: [] } }
    const id = await makeConfiguration(server, [host], {
      event: { reminders: [{ type: 'email', minutes_before_event: 30, strange }], strange },
      scheduler: {
        strange,
        notetaker_settings: strange,
        // Not the editor's word for dates, where it is not among hours.
        additional_fields: { ex_dates: { label: 'Dates', type: 'text', required: false } },
      },
      rules: { strange },
    })
    const changed = await server.request('PUT', `${base}/${id}`, { body: { name: 'Renamed' } })
    expect([changed.status, changed.body.data.name]).toEqual([200, 'Renamed'])
    expect(changed.body.data.event_booking.reminders[0].strange).toEqual(strange)
    expect(Object.keys(changed.body.data.scheduler.additional_fields)).toEqual(['ex_dates'])
  })

  it('with two editors has the words of the last, and nothing half of each where they are simultaneous', async () => {
    const id = await makeConfiguration(server, [host])
    const read = async () => (await server.request('GET', `${base}/${id}`)).body.data
    const [one, other] = [await read(), await read()]
    const save = (body: object) => server.request('PUT', `${base}/${id}`, { body })
    expect((await save({ ...one, name: 'One' })).status).toBe(200)
    expect((await save({ ...other, name: 'Other' })).status).toBe(200)
    expect((await read()).name).toBe('Other')

    // Each changes one member, so neither may take the other's change away with what it read before.
    for (let round = 0; round < 20; round++) {
      const [name, appearance] = [`Name ${round}`, { color: `Colour ${round}` }]
      const replies = await Promise.all([save({ name }), save({ appearance })])
      for (const { status, body } of replies.filter((reply) => reply.status !== 200))
        expect([status, body.error.message]).toEqual([
          400,
          'The configuration was changed by another request; read it again',
        ])
      const saved = replies.map(({ status }) => status === 200)
      expect(saved).toContain(true)
      const last = await read()
      expect([last.name === name, last.appearance?.color === appearance.color]).toEqual(saved)
    }
  })

  it('comes back with the defaults that act where they were left out', async () => {
    const made = await server.request('POST', base, {
      body: {
        participants: [participant(host.email, { isOrganizer: true })],
        availability: { duration_minutes: 20 },
        event_booking: { title: 'Plain' },
      },
    })
    expect(made.body.data).toMatchObject({
      slug: null,
      requires_session_auth: null,
      appearance: null,
      availability: {
        duration_minutes: 20,
        interval_minutes: 20,
        round_to: 15,
        availability_rules: { availability_method: 'collective', buffer: { before: 0, after: 0 } },
      },
      event_booking: { booking_type: 'booking' },
      scheduler: { available_days_in_future: 30, min_booking_notice: 60, min_cancellation_notice: 0 },
    })
  })

  it('takes numbers as text and answers them as numbers', async () => {
    const made = await server.request('POST', base, {
      body: configurationBody([host], {
        availability: { duration_minutes: '30', interval_minutes: '15', round_to: '15' },
        rules: { buffer: { before: '5', after: '10' } },
        scheduler: { min_booking_notice: '0', available_days_in_future: '14' },
      }),
    })
    expect(made.body.data).toMatchObject({
      availability: {
        duration_minutes: 30,
        interval_minutes: 15,
        availability_rules: { buffer: { before: 5, after: 10 } },
      },
      scheduler: { min_booking_notice: 0, available_days_in_future: 14 },
    })
  })

  it("takes the editor's ex_dates for exdates, and they act", async () => {
    const day = new Date(start * 1_000).toISOString().slice(0, 10)
    const id = await makeConfiguration(server, [host], {
      rules: { default_open_hours: [{ days: [0, 1, 2, 3, 4, 5, 6], start: '00:00', end: '23:59', ex_dates: [day] }] },
    })
    const [block] = (await server.request('GET', `${base}/${id}`)).body.data.availability.availability_rules
      .default_open_hours
    expect(block).toEqual({ days: [0, 1, 2, 3, 4, 5, 6], start: '00:00', end: '23:59', exdates: [day] })
    expect((await availability(`configuration_id=${id}`)).body.data.time_slots).toEqual([])
  })

  it.each(['PUT', 'PATCH'])('keeps with %s what is left out, and has replaced whole what is there', async (method) => {
    const id = await makeConfiguration(server, [host], {
      scheduler: { min_cancellation_notice: 30 },
      top: { appearance: { color: 'red' } },
    })
    const changed = await server.request(method, `${base}/${id}`, {
      body: { name: 'New name', scheduler: { min_booking_notice: 5 } },
    })
    expect(changed.body.data).toMatchObject({
      id,
      name: 'New name',
      appearance: { color: 'red' },
      event_booking: { title: 'Intro call' },
    })
    expect(changed.body.data.scheduler).toEqual({
      available_days_in_future: 30,
      min_booking_notice: 5,
      min_cancellation_notice: 0,
    })
    expect((await server.request('GET', `${base}/${id}`)).body.data).toEqual(changed.body.data)
  })

  it('that is changed is another one for the next guest at once', async () => {
    const id = await makeConfiguration(server, [host])
    expect((await availability(`configuration_id=${id}`)).body.data.time_slots.length).toBe(4)
    await server.request('PATCH', `${base}/${id}`, { body: { availability: { duration_minutes: 60 } } })
    expect((await availability(`configuration_id=${id}`)).body.data.time_slots.length).toBe(2)
  })

  it('is found by its slug with the client id, whatever the application calls others', async () => {
    const id = await makeConfiguration(server, [host], { top: { slug: 'intro-call' } })
    expect((await availability(`slug=intro-call&client_id=${server.clientId}`)).body.data.time_slots.length).toBe(4)
    for (const query of ['slug=intro-call', 'slug=intro-call&client_id=']) {
      const missing = await availability(query)
      expect([missing.status, missing.body.error.message]).toEqual([400, 'client_id: is required together with slug'])
    }
    expect((await availability(`slug=intro-call&client_id=${(await server.otherApplication()).clientId}`)).status).toBe(
      404,
    )
    const taken = await server.request('POST', base, {
      body: configurationBody([host], { top: { slug: 'intro-call' } }),
    })
    expect([taken.status, taken.body.error.message]).toEqual([400, 'slug: is already taken in this application'])
    expect((await server.request('DELETE', `${base}/${id}`)).status).toBe(200)
    expect(
      (await server.request('POST', base, { body: configurationBody([host], { top: { slug: 'intro-call' } }) })).status,
    ).toBe(200)
  })

  it('that is private answers only a session of its own', async () => {
    const id = await makeConfiguration(server, [host], { top: { requires_session_auth: true } })
    const other = await makeConfiguration(server, [colleague])
    for (const token of [null, server.apiKey]) {
      const refused = await availability(`configuration_id=${id}`, token)
      expect([refused.status, refused.body.error]).toEqual([
        401,
        { type: 'invalid_session', message: 'Invalid session' },
      ])
    }
    const session = async (configuration: string) =>
      (await server.request('POST', '/v3/scheduling/sessions', { body: { configuration_id: configuration } })).body.data
        .session_id
    expect((await availability('', await session(id))).body.data.time_slots.length).toBe(4)
    // A session means its own configuration, whatever the query says.
    const foreign = await availability(`configuration_id=${id}`, await session(other))
    expect(foreign.body.data.time_slots[0].emails).toEqual([colleague.email])
    expect((await book(server, id, start)).status).toBe(401)
  })

  it('is deleted once or has sessions, never both, however many ask for either at once', async () => {
    for (let round = 0; round < 8; round++) {
      const id = await makeConfiguration(server, [host])
      const wishes = Array.from({ length: 12 }, (_, index) => index % 2 === 0)
      const replies = await Promise.all(
        wishes.map(async (wantsSession) => {
          const { status } = wantsSession
            ? await server.request('POST', '/v3/scheduling/sessions', { body: { configuration_id: id } })
            : await server.request('DELETE', `${base}/${id}`)
          return { wantsSession, status }
        }),
      )
      const done = replies.filter(({ status }) => status === 200)
      const sessions = done.filter(({ wantsSession }) => wantsSession).length
      expect([0, wishes.length / 2]).toContain(sessions)
      expect(done.length - sessions).toBe(sessions === 0 ? 1 : 0)
    }
  })

  it('is not deleted under a session; afterwards its bookings can still be read, moved and cancelled', async () => {
    const id = await makeConfiguration(server, [host])
    const booking = (await book(server, id, start + 86_400)).body.data.booking_id
    const session = (await server.request('POST', '/v3/scheduling/sessions', { body: { configuration_id: id } })).body
      .data.session_id
    const refused = await server.request('DELETE', `${base}/${id}`)
    expect([refused.status, refused.body.error.message]).toEqual([
      400,
      'The configuration has 1 active session; delete them or wait until they expire',
    ])
    await server.request('DELETE', `/v3/scheduling/sessions/${session}`)
    expect((await server.request('DELETE', `${base}/${id}`)).body).toEqual({ request_id: expect.any(String) })
    expect((await server.request('GET', `${base}/${id}`)).status).toBe(404)
    expect((await availability(`configuration_id=${id}`)).status).toBe(404)
    expect((await book(server, id, start)).status).toBe(404)
    const path = `/v3/scheduling/bookings/${booking}?configuration_id=${id}`
    expect((await server.request('GET', path, { token: null })).body.data.status).toBe('booked')
    const free = await availability(`configuration_id=${id}&booking_id=${booking}`)
    const when = free.body.data.time_slots[0]
    expect(
      (
        await server.request('PATCH', path, {
          token: null,
          body: { start_time: when.start_time, end_time: when.end_time },
        })
      ).status,
    ).toBe(200)
    // Knowing the configuration alone opens nothing.
    const nobodys = `configuration_id=${id}&booking_id=${crypto.randomUUID()}`
    expect((await availability(nobodys)).status).toBe(404)
    expect((await server.request('DELETE', path, { token: null, body: {} })).status).toBe(200)
  })

  it("is nobody else's: not another grant's, not another application's", async () => {
    const id = await makeConfiguration(server, [host])
    const { apiKey } = await server.otherApplication()
    for (const [path, token] of [
      [`/v3/grants/${colleague.grantId}/scheduling/configurations/${id}`, server.apiKey],
      [`${base}/${id}`, apiKey],
    ] as const)
      for (const [method, body] of [
        ['GET', undefined],
        ['PATCH', { name: 'Mine' }],
        ['DELETE', undefined],
      ] as const)
        expect([
          method,
          (await server.request(method, path, { token, ...(body === undefined ? {} : { body }) })).status,
        ]).toEqual([method, 404])
    expect(
      (await server.request('POST', '/v3/scheduling/sessions', { token: apiKey, body: { configuration_id: id } }))
        .status,
    ).toBe(404)
    expect((await availability(`configuration_id=${id}`, apiKey)).status).toBe(404)
    expect((await server.request('GET', `${base}/${id}`)).body.data.name).toBe('Intro call')
  })
})

describe('a document that cannot be right is refused with the name of the field', () => {
  const hours = (block: object) => ({
    rules: { default_open_hours: [{ days: [1], start: '09:00', end: '17:00', ...block }] },
  })
  it.each([
    ['no participants', { participants: [] }, 'participants'],
    [
      '51 participants',
      { participants: Array.from({ length: 51 }, (_, index) => participant(`p${index}@host.example`)) },
      'participants',
    ],
    [
      'a participant without a grant',
      { participants: [participant('nobody@host.example', { isOrganizer: true })] },
      'participants[0].email: Failed to find a valid Grant for nobody@host.example',
    ],
    [
      'a calendar that is not there',
      { participants: [participant(host.email, { isOrganizer: true, booking: { calendar_id: 'nope' } })] },
      'participants[0]: ada@host.example has no calendar "nope"',
    ],
    [
      'the same participant twice',
      { participants: [participant(host.email, { isOrganizer: true }), participant(host.email.toUpperCase())] },
      'participants[1].email: is the same as participants[0].email',
    ],
    [
      'two organizers',
      {
        participants: [
          participant(host.email, { isOrganizer: true }),
          participant(colleague.email, { isOrganizer: true }),
        ],
      },
      'participants: exactly one participant must have is_organizer: true',
    ],
    [
      'a duration of no length',
      { availability: { duration_minutes: 0 } },
      'availability.duration_minutes: must be a whole number from 1 to 1440',
    ],
    [
      'a duration in words',
      { availability: { duration_minutes: 'half an hour' } },
      'availability.duration_minutes: must be',
    ],
    [
      'rounding to 7 minutes',
      { availability: { round_to: 7 } },
      'availability.round_to: must be a whole number from 5 to 60, a multiple of 5',
    ],
    [
      'a buffer of 7 minutes',
      { rules: { buffer: { before: 7 } } },
      'availability.availability_rules.buffer.before: must be',
    ],
    [
      'a buffer of 125 minutes',
      { rules: { buffer: { after: 125 } } },
      'availability.availability_rules.buffer.after: must be',
    ],
    [
      'a method that is none',
      { rules: { availability_method: 'fastest' } },
      'availability.availability_rules.availability_method: must be one of collective',
    ],
    [
      'a night shift',
      hours({ start: '22:00', end: '06:00' }),
      'availability.availability_rules.default_open_hours[0].end: must be later than start',
    ],
    [
      "25 o'clock",
      hours({ end: '25:00' }),
      'availability.availability_rules.default_open_hours[0].end: must be a time of day',
    ],
    [
      'an eighth day',
      hours({ days: [7] }),
      'availability.availability_rules.default_open_hours[0].days[0]: must be a day from 0',
    ],
    [
      'a 13th month',
      hours({ exdates: ['2030-13-01'] }),
      'availability.availability_rules.default_open_hours[0].exdates[0]: must be a date',
    ],
    [
      'an invented zone',
      { event: { timezone: 'Mars/Olympus' } },
      'event_booking.timezone: "Mars/Olympus" is not an IANA time zone',
    ],
    ['no title', { event: { title: '' } }, 'event_booking.title'],
    [
      'a type of booking that is none',
      { event: { booking_type: 'maybe' } },
      'event_booking.booking_type: must be one of booking',
    ],
    [
      'a script for a link',
      { scheduler: { rescheduling_url: 'javascript:alert(1)' } },
      'scheduler.rescheduling_url: must be an http or https address',
    ],
    [
      'a dropdown without options',
      { scheduler: { additional_fields: { topic: { label: 'Topic', type: 'dropdown' } } } },
      'scheduler.additional_fields.topic.options: is required for dropdown',
    ],
    [
      'options that can be read as others',
      { scheduler: { additional_fields: { ms: { label: 'M', type: 'multi_select', options: ['a', 'b', 'a, b'] } } } },
      'scheduler.additional_fields.ms.options: "a, b" cannot be told from other options',
    ],
    ['a slug with a slash', { top: { slug: 'a/b' } }, 'slug: must be letters'],
    ['a group', { top: { type: 'group' } }, 'group configurations are not served yet; leave type out'],
  ])('%s', async (_, options, message) => {
    const refused = await server.request('POST', base, { body: configurationBody([host], options) })
    expect([refused.status, refused.body.error?.type]).toEqual([400, 'invalid_request_error'])
    expect(refused.body.error.message).toContain(message)
  })

  it('also as a change, and the configuration stays as it was', async () => {
    const id = await makeConfiguration(server, [host])
    const before = (await server.request('GET', `${base}/${id}`)).body.data
    const refused = await server.request('PATCH', `${base}/${id}`, {
      body: { event_booking: { title: 'x', timezone: 'Nowhere' } },
    })
    expect([refused.status, refused.body.error.message]).toEqual([
      400,
      'event_booking.timezone: "Nowhere" is not an IANA time zone, as Europe/Berlin is',
    ])
    expect((await server.request('GET', `${base}/${id}`)).body.data).toEqual(before)
  })
})

describe('the list', () => {
  it('comes in pages, oldest first', async () => {
    const grant = await makeHost(server, 'pages@host.example')
    const made: string[] = []
    for (let at = 0; at < 5; at++) made.push(await makeConfiguration(server, [grant]))
    const seen: string[] = []
    let token = ''
    do {
      const page = await server.request('GET', `/v3/grants/${grant.grantId}/scheduling/configurations?limit=2${token}`)
      seen.push(...page.body.data.map(({ id }: { id: string }) => id))
      token = page.body.next_cursor ? `&page_token=${page.body.next_cursor}` : ''
    } while (token !== '')
    expect(seen).toEqual(made)
    expect((await server.request('GET', `${base}?page_token=nonsense`)).status).toBe(400)
  })
})
