// Proof of work for open pages under load: a few hundred milliseconds of a guest's computer, and too much for whoever books by the thousand.
import type { verifySolution } from 'altcha-lib/v1'

import type { Problem } from '../core/problem.ts'
import type { Instant } from '../core/time/instant.ts'

export type ProofOfWork = {
  /** With a fresh challenge in it. */
  demand(configurationId: string): Promise<Problem>
  /** Good once, for the configuration that its challenge was made for, within five minutes. */
  accept(solution: string, configurationId: string): Promise<boolean>
}

const lifetimeMs = 5 * 60_000
/** A page finds the number after half of these on average. */
const highestNumber = 100_000
const rememberedLimit = 10_000

/**
 * The ALTCHA protocol (https://altcha.org/docs/v1/), of which only the arithmetic is used: nobody else is asked. `readKeys` answers the
 * keys of all processes that serve, of which the first signs and all are accepted, and is asked anew each time, since keys are
 * rotated meanwhile. Which solutions were used already is known to each process alone, as its limits are.
 */
export function createProofOfWork(readKeys: () => readonly [string, ...string[]], now: () => Instant): ProofOfWork {
  /** Signatures of challenges whose solutions were used, with the instant after which they are too old anyway. */
  const used = new Map<string, number>()

  return {
    async demand(configurationId) {
      const { createChallenge } = await loadAltcha()
      const challenge = await createChallenge({
        hmacKey: readKeys()[0],
        maxnumber: highestNumber,
        params: { configuration: configurationId, until: String(now() + lifetimeMs) },
      })
      return {
        kind: 'proofRequired',
        message: 'This page is busy; a proof of work is required. Solve the challenge and send it as page_check.proof.',
        challenge: { ...challenge },
      }
    },
    async accept(solution, configurationId) {
      const payload = readPayload(solution)
      if (payload === undefined) return false
      const { extractParams, verifySolution } = await loadAltcha()
      const verified = await Promise.all(readKeys().map((key) => verifySolution(payload, key, false)))
      if (!verified.includes(true)) return false
      const { configuration, until } = extractParams(payload)
      const end = Number(until)
      if (configuration !== configurationId || !(end > now()) || used.has(payload.signature)) return false
      if (used.size >= rememberedLimit)
        for (const [signature, isOldAt] of used) if (isOldAt <= now()) used.delete(signature)
      used.set(payload.signature, end)
      return true
    },
  }
}

type Payload = Exclude<Parameters<typeof verifySolution>[0], string>

/** Only where a page is busy enough to ask for proof: it holds a megabyte. */
function loadAltcha(): Promise<typeof import('altcha-lib/v1')> {
  return import('altcha-lib/v1')
}

/** Base64 of JSON, from whoever sends it. */
function readPayload(solution: string): Payload | undefined {
  try {
    const { algorithm, challenge, number, salt, signature } =
      JSON.parse(Buffer.from(solution, 'base64').toString()) ?? {}
    const areTexts = [challenge, salt, signature].every((value) => typeof value === 'string')
    return algorithm === 'SHA-256' && Number.isSafeInteger(number) && areTexts
      ? { algorithm, challenge, number, salt, signature }
      : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
