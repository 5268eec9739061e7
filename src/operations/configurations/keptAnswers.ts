// Answers about slots that are kept in memory, within a bound: who asks for many spans pushes others out, no more.
import type { Database } from '../../adapters/storage/database/database.ts'
import type { Instant } from '../../core/time/instant.ts'

/** An answer with what it was made of: the versions of configuration and calendars, and until when the clock leaves it true. */
export type KeptAnswer = { readonly versions: string; readonly until: Instant; readonly json: string }

/** Characters of JSON, in all and for one answer. Answers are ASCII, so a character is a byte. */
const limit = 16 * 1024 * 1024
const singleLimit = 128 * 1024

class KeptAnswers {
  readonly #answers = new Map<string, KeptAnswer>()
  #size = 0

  get(key: string): KeptAnswer | undefined {
    return this.#answers.get(key)
  }

  /** The oldest make room. An answer too large to be worth its place is not kept. */
  keep(key: string, answer: KeptAnswer): void {
    this.#remove(key)
    if (answer.json.length > singleLimit) return
    for (const oldest of this.#answers.keys()) {
      if (this.#size + answer.json.length <= limit) break
      this.#remove(oldest)
    }
    this.#answers.set(key, answer)
    this.#size += answer.json.length
  }

  #remove(key: string): void {
    const answer = this.#answers.get(key)
    if (answer === undefined) return
    this.#answers.delete(key)
    this.#size -= answer.json.length
  }

  get size(): number {
    return this.#size
  }
}

const byDatabase = new WeakMap<Database, KeptAnswers>()

export function keptAnswers(database: Database): KeptAnswers {
  let answers = byDatabase.get(database)
  if (answers === undefined) {
    answers = new KeptAnswers()
    byDatabase.set(database, answers)
  }
  return answers
}
