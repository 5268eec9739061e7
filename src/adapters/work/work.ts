// How much work what others ask for is worth, and short turns of the event loop while it is done.
import { setImmediate as nextTurn } from 'node:timers/promises'

/** Past its bounds: what it would have told is not known. */
export class TooMuchWork extends Error {
  override readonly name = 'TooMuchWork'
}

/** In steps: a day that a rule looks at is one, about a third of a microsecond. A thousand series by the day take nine million. */
const mostSteps = 12_000_000
/** What an occurrence, or an exception, costs beside what its rule looks at. */
export const stepsOfOccurrence = 20
const charactersAStep = 16
/** Of one piece, which is done in one turn: five centuries of days. */
const mostStepsOfPiece = 200_000
/** After so many milliseconds others get their turn. */
const longTurnMs = 15

/** All that is done for one answer. */
export class Work {
  #left: number
  #leftOfPiece = mostStepsOfPiece
  #turnBegan = performance.now()

  constructor(steps = mostSteps) {
    this.#left = steps
  }

  /** What has a bound of its own begins: a series, or the way to its next occurrence. */
  beginPiece(): void {
    this.#leftOfPiece = mostStepsOfPiece
  }

  /** A series begins whose rule stands in `lines`; to read them costs something too. */
  beginSeries(lines: readonly string[]): void {
    this.beginPiece()
    this.spend(lines.reduce((sum, line) => sum + line.length, 0) / charactersAStep)
  }

  /** Throws TooMuchWork past the bounds. */
  readonly spend = (steps: number): void => {
    this.#left -= steps
    this.#leftOfPiece -= steps
    if (this.#left < 0) throw new TooMuchWork('is too much to work out, with all that came before')
    if (this.#leftOfPiece < 0) throw new TooMuchWork('recurs in a way that takes too long to work out')
  }

  /** Whether it is time to `breathe`. Cheap, so that what is quick need not wait for anything. */
  isLong(): boolean {
    return performance.now() - this.#turnBegan > longTurnMs
  }

  /** Others get their turn. Of all long work in this process one piece is done in a turn, so that many do not make it a long one. */
  async breathe(): Promise<void> {
    lastInLine = lastInLine.then(() => nextTurn())
    await lastInLine
    this.#turnBegan = performance.now()
  }
}

let lastInLine: Promise<void> = Promise.resolve()
