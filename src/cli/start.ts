// `openslot start`: serves until a signal comes, then lets everything in flight end.
import { buildApp } from '../app.ts'
import { loadConfig } from '../config.ts'

/** Ends when the server has stopped. A second signal ends the process at once. */
export async function start(environment: Readonly<Record<string, string | undefined>>): Promise<number> {
  const signal = nextSignal()
  const app = await buildApp(loadConfig(environment))
  try {
    const { address } = await app.start()
    process.stdout.write(`OpenSlot is ready${address === undefined ? '' : ` at ${address}`}\n`)
    await signal
    return 0
  } finally {
    await app.close()
  }
}

function nextSignal(): Promise<void> {
  return new Promise((resolve) => {
    let isStopping = false
    for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
      process.on(name, () => {
        if (isStopping) process.exit(1)
        isStopping = true
        resolve()
      })
  })
}
