// The time zones that the pages show times in: those that the API takes as well.

/** An IANA name or an alias of one; bare offsets are none, though browsers compute with them. */
export function isTimezone(name: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/.test(name)) return false
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

/** The browser's; UTC where the system has not told it one, which it calls `Etc/Unknown` or nothing at all. */
export function ownTimezone(): string {
  const own: string | undefined = new Intl.DateTimeFormat().resolvedOptions().timeZone
  return own !== undefined && isTimezone(own) ? own : 'UTC'
}
