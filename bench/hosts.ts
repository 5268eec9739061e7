// Hosts to measure with, made over the API.

/** Eight hosts open round the clock and a ninth with working hours; answers the id of a configuration for each. */
export async function makeHosts(url: string, token: string): Promise<string[]> {
  const call = async (method: string, path: string, body: object) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    const answer = (await response.json()) as { data: { id: string } }
    if (!response.ok) throw new Error(JSON.stringify(answer))
    return answer.data.id
  }

  const configurations: string[] = []
  for (let host = 0; host < 9; host++) {
    const email = `host${host}@bench.example`
    const grantId = await call('POST', '/v3/connect/custom', { provider: 'virtual-calendar', settings: { email } })
    await call('POST', `/v3/grants/${grantId}/calendars`, { name: 'Primary', timezone: 'UTC' })
    configurations.push(
      await call('POST', `/v3/grants/${grantId}/scheduling/configurations`, {
        name: 'Bench',
        participants: [
          {
            email,
            is_organizer: true,
            availability: { calendar_ids: ['primary'] },
            booking: { calendar_id: 'primary' },
          },
        ],
        availability: {
          duration_minutes: 30,
          interval_minutes: 30,
          availability_rules: {
            default_open_hours: host === 8 ? [{ days: [1, 2, 3, 4, 5], start: '9:00', end: '17:00' }] : [],
          },
        },
        event_booking: { title: 'Bench', timezone: 'Europe/Berlin' },
        scheduler: { min_booking_notice: 0, available_days_in_future: 3_650 },
      }),
    )
  }
  return configurations
}
