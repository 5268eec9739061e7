// Log lines: one JSON object each, and nothing in them that opens a door or names a guest.
import { type Logger, pino } from 'pino'

import { redactLine } from './redaction.ts'

/**
 * Lines go to stderr, so that stdout carries only what a person or a program asked for; a test takes them elsewhere.
 * Every line passes the redaction, errors of libraries too.
 */
export function createLogger(level: string, destination?: { write(line: string): void }): Logger {
  return pino({ level, hooks: { streamWrite: redactLine } }, destination ?? pino.destination({ fd: 2, sync: true }))
}
