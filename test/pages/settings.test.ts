/** What a browser says of its zone and its languages, which may be nothing that anyone knows. */
import { afterEach, expect, it, vi } from 'vitest'

import { formatDay, localeOf } from '../../web/shared/format.ts'
import { isTimezone, ownTimezone } from '../../web/shared/timezone.ts'

afterEach(() => vi.restoreAllMocks())

it.each([
  ['Asia/Kolkata', 'Asia/Kolkata'],
  ['Etc/Unknown', 'UTC'],
  [undefined, 'UTC'],
])('of a browser that calls its zone %j shows %s', (told, shown) => {
  const { resolvedOptions } = Intl.DateTimeFormat.prototype
  vi.spyOn(Intl.DateTimeFormat.prototype, 'resolvedOptions').mockImplementation(function (this: Intl.DateTimeFormat) {
    return { ...resolvedOptions.call(this), timeZone: told as string }
  })
  expect(ownTimezone()).toBe(shown)
})

it('takes the zones that the API takes: names, and no offsets', () => {
  for (const name of ['Europe/Berlin', 'US/Pacific', 'EST5EDT', 'UTC', 'europe/berlin', 'Etc/GMT+5'])
    expect(isTimezone(name), name).toBe(true)
  for (const name of ['+05:00', '-03', 'Nowhere/City', 'Etc/Unknown', '', ' UTC'])
    expect(isTimezone(name), name).toBe(false)
})

it.each([
  [['de-AT', 'en-GB', 'en'], 'en-GB-u-ca-gregory'],
  [['fr'], 'en-u-ca-gregory'],
  [['en-US@posix'], 'en-u-ca-gregory'],
  [['en-US@posix', 'en-CA'], 'en-CA-u-ca-gregory'],
  [['C', '', 'en_US', 'en-IN-u-nu-deva'], 'en-IN-u-ca-gregory'],
])('writes English dates as %j would', (preferred, locale) => {
  expect(localeOf('en', preferred)).toBe(locale)
  expect(formatDay(0, locale, 'UTC')).toContain('1970')
})
