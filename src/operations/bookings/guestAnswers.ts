// What a guest answered to the additional fields, checked as the booking page checks it.
import { createRequire } from 'node:module'

import type { RE2JS } from 're2js'

import { Work } from '../../adapters/work/work.ts'
import type { AdditionalField, Configuration } from '../../core/configuration/configuration.ts'
import { invalidRequest, type Problem } from '../../core/problem.ts'
import { failure, type Result, success } from '../../core/result.ts'
import { isLocalDate } from '../../core/time/localDate.ts'
import { readChoices } from '../../wire/choices.ts'

const require = createRequire(import.meta.url)

/**
 * Hidden fields get their default; unknown keys are kept. Between answers that take long others get their turn.
 * Problems: `invalidRequest` that names the field.
 */
export async function readAnswers(
  { additionalFields }: Pick<Configuration, 'additionalFields'>,
  answers: Readonly<Record<string, string>>,
): Promise<Result<Readonly<Record<string, string>>>> {
  const complete: Record<string, string> = { ...answers }
  const budget: Budget = { steps: mostSteps }
  const work = new Work()
  for (const [key, field] of Object.entries(additionalFields)) {
    // Keys are the organizer's words, and some are names that every object answers to.
    const given = Object.hasOwn(complete, key) ? complete[key] : undefined
    const answer = given ?? (field.type === 'metadata' ? field.default : undefined)
    if (answer !== undefined) complete[key] = answer
    const problem = findAnswerProblem(`additional_fields.${key}`, field, answer ?? '', budget)
    if (problem !== undefined) return failure(problem)
    if (work.isLong()) await work.breathe()
  }
  return success(complete)
}

/** What the patterns of one booking may still take. */
type Budget = { steps: number }

/**
 * One is an instruction of the engine at a character: mostly far below a nanosecond, for patterns that branch everywhere some
 * 30 to 60. All answers of a booking: a second at the worst, with turns for others.
 */
const mostSteps = 20_000_000
/** Of one answer, which is held against its pattern in one turn: 180 milliseconds at the worst. */
const mostStepsOfAnswer = 3_000_000
/** Whatever pattern was accepted holds answers of this length, in six fields. */
const certainLength = 1_000

function findAnswerProblem(place: string, field: AdditionalField, answer: string, budget: Budget): Problem | undefined {
  const isMissing = answer === '' || (field.type === 'checkbox' && answer !== 'true')
  if (field.required && isMissing) return invalidRequest('is required', place)
  if (answer === '') return undefined
  switch (field.type) {
    case 'email':
      return /^[^\s@]+@[^\s@]+$/.test(answer) ? undefined : invalidRequest('must be a mail address', place)
    case 'checkbox':
      return answer === 'true' || answer === 'false' ? undefined : invalidRequest('must be true or false', place)
    case 'dropdown':
    case 'radio_button':
      return field.options.includes(answer)
        ? undefined
        : invalidRequest(`must be one of ${field.options.join(', ')}`, place)
    case 'multi_select':
      return field.options.length === 0 || readChoices(answer, field.options) !== undefined
        ? undefined
        : invalidRequest(`must be some of ${field.options.join(', ')}, separated by commas`, place)
    case 'date':
      if (!isLocalDate(answer)) return invalidRequest('must be a date like 2026-03-29', place)
  }
  return findFormProblem(place, field.pattern, answer, budget)
}

/** Of the engine; a usual pattern has a few dozen, `^.{0,1000}$` two thousand. */
const mostInstructions = mostStepsOfAnswer / certainLength

/**
 * What is wrong with the pattern of a field, in words, or undefined. Look-around and back references can be read, by the page;
 * here they are passed over.
 */
export function findPatternFault(pattern: string): string | undefined {
  const engine = compile(pattern)
  if (engine !== undefined)
    return engine.programSize() > mostInstructions ? 'repeats too much to be held against answers' : undefined
  try {
    new RegExp(pattern, 'u')
    return undefined
  } catch {
    return 'is not a regular expression'
  }
}

/**
 * Undefined where the engine lacks what the pattern uses. It is loaded with the first one, because most configurations have
 * none and it holds two megabytes; where it cannot be loaded, that is a fault and no pattern.
 */
function compile(pattern: string): RE2JS | undefined {
  const { RE2JS } = require('re2js') as typeof import('re2js')
  try {
    return RE2JS.compile(pattern)
  } catch {
    return undefined
  }
}

/** Patterns are written by organizers, so they run on an engine that is linear whatever the pattern, and within a budget. */
function findFormProblem(
  place: string,
  pattern: string | undefined,
  answer: string,
  budget: Budget,
): Problem | undefined {
  if (pattern === undefined || pattern === '') return undefined
  const engine = compile(pattern)
  // A pattern that this engine lacks (look-around, back references) is the page's affair; it must not stop bookings.
  if (engine === undefined) return undefined
  const steps = engine.programSize() * answer.length
  budget.steps -= steps
  if (steps > mostStepsOfAnswer || budget.steps < 0)
    return invalidRequest('is too long to be held against its pattern', place)
  return engine.matcher(answer).find() ? undefined : invalidRequest('does not have the form that is asked for', place)
}
