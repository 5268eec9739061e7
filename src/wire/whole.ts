// Numbers as clients send them: JSON numbers, or the decimal text that some published samples use.
import Type, { type TUnsafe } from 'typebox'

const decimal = '^-?\\d{1,15}$'
const isDecimal = new RegExp(decimal)

/** Both ends included. */
export type WholeRange = { readonly minimum?: number; readonly maximum?: number; readonly multipleOf?: number }

/**
 * A whole number in `range`. Decimal text is accepted and arrives as a number: the keyword `x-whole`, which the
 * validation at the door knows, checks and converts it in place.
 */
export function whole(range: WholeRange, description?: string): TUnsafe<number> {
  return Type.Unsafe<number>({
    type: ['integer', 'string'],
    // What `x-whole` asks for, as far as readers of the description understand it.
    ...range,
    pattern: decimal,
    'x-whole': range,
    errorMessage: sentence(range),
    ...(description === undefined ? {} : { description }),
  })
}

/** A moment on the wire: Unix seconds in the years 1970 to 9999. */
export function unixSeconds(description = 'Unix seconds'): TUnsafe<number> {
  return whole({ minimum: 0, maximum: 253_402_300_799 }, description)
}

/** The number that `value` says, or undefined where it is none, or out of `range`. */
export function readWhole(value: unknown, range: WholeRange): number | undefined {
  if (typeof value === 'string' && !isDecimal.test(value)) return undefined
  const number = typeof value === 'string' ? Number(value) : value
  if (typeof number !== 'number' || !Number.isSafeInteger(number)) return undefined
  const { minimum = number, maximum = number, multipleOf = 1 } = range
  return number >= minimum && number <= maximum && number % multipleOf === 0 ? number : undefined
}

function sentence({ minimum, maximum, multipleOf }: WholeRange): string {
  const from =
    minimum === undefined ? '' : maximum === undefined ? ` of at least ${minimum}` : ` from ${minimum} to ${maximum}`
  return `must be a whole number${from}${multipleOf === undefined ? '' : `, a multiple of ${multipleOf}`}`
}
