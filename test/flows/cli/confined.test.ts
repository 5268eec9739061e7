/** A server with less than its container leaves it: it writes nowhere, starts nobody, and loads no code but JavaScript. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

import { makeDatabase, startServer } from './openslot.ts'

const run = promisify(execFile)
const NODE_OPTIONS = '--permission --allow-net --allow-fs-read=*'

test('a server with a database of its own serves and books where it may write no file and start no process', async () => {
  const { environment } = await makeDatabase()
  const server = await startServer({ ...environment, NODE_OPTIONS })
  const curl = server.greeting.split('\n').find((line) => line.startsWith('curl ')) ?? ''
  const { stdout } = await run('sh', ['-c', `${curl} --silent`.replaceAll('//localhost:', '//127.0.0.1:')])
  expect(JSON.parse(stdout).data).toMatchObject({ status: 'booked' })
  const { code, stderr } = await server.stop()
  expect(code).toBe(0)
  const logged = stderr.split('\n').filter((line) => line.startsWith('{'))
  expect(logged.filter((line) => JSON.parse(line).level > 30)).toEqual([])
  expect(stderr).not.toContain('ERR_ACCESS_DENIED')
  expect(logged.length).toBeGreaterThan(0)
}, 60_000)

test('what it is kept from is kept from it', async () => {
  const script = "import('node:fs').then((fs) => fs.writeFileSync('/tmp/openslot-confined', ''))"
  await expect(run(process.execPath, ['-e', script], { env: { ...process.env, NODE_OPTIONS } })).rejects.toThrow(
    'ERR_ACCESS_DENIED',
  )
})
