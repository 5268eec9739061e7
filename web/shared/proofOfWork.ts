// The answer to a server that is too busy for strangers: a number found by trying, in a worker so that the page stays quick.
import type { Challenge } from './client.ts'
import workerAddress from './proofWorker.ts?worker&url'

type PolicyFactory = {
  createPolicy(
    name: string,
    rules: { createScriptURL(text: string): string },
  ): { createScriptURL(text: string): string }
}

/** The solution as the server reads it; undefined where there is none, or no worker can be had. */
export function solve(challenge: Challenge): Promise<string | undefined> {
  const { trustedTypes } = globalThis as { trustedTypes?: PolicyFactory }
  const policy = trustedTypes?.createPolicy('openslot-worker', { createScriptURL: (text) => text })
  const worker = new Worker(policy?.createScriptURL(workerAddress) ?? workerAddress, { type: 'module' })
  return new Promise((resolve) => {
    worker.addEventListener('message', ({ data }: MessageEvent<number | undefined>) => {
      worker.terminate()
      const { algorithm, challenge: hash, salt, signature } = challenge
      resolve(
        data === undefined
          ? undefined
          : btoa(JSON.stringify({ algorithm, challenge: hash, number: data, salt, signature })),
      )
    })
    worker.addEventListener('error', () => {
      worker.terminate()
      resolve(undefined)
    })
    worker.postMessage(challenge)
  })
}
