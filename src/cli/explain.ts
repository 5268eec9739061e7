// What went wrong, in one plain sentence for the person at the terminal.

/** Without a stack trace; an error that nobody foresaw gives its own message. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.message
}
