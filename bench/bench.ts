/** `npm run bench`: every figure that the project claims, as ratios to ceilings of the same run. `--write` keeps the table. */
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'

import { benchCalendars } from './calendars.ts'
import { type BenchRow, benchEngine } from './engine.ts'
import { benchPages } from './pages.ts'
import { benchServer } from './server.ts'
import { benchWebhooks } from './webhooks.ts'

const rows: BenchRow[] = [
  ...(await benchEngine()),
  ...(await benchServer()),
  ...(await benchWebhooks()),
  ...(await benchCalendars()),
  ...(await benchPages()),
]
const table = [
  '| figure | measured | against | target | |',
  '| --- | --- | --- | --- | --- |',
  ...rows.map(
    ({ name, value, unit, ceiling = '', target, ok }) =>
      `| ${name} | ${format(value)} ${unit} | ${ceiling} | ${target} | ${ok ? '✓' : 'missed'} |`,
  ),
].join('\n')
process.stdout.write(`${table}\n`)

if (process.argv.includes('--write')) {
  const file = new URL('../docs/performance.md', import.meta.url)
  const page = readFileSync(file, 'utf8')
  const machine = `${availableParallelism()} cores, ${cpus()[0]?.model.trim() ?? 'unknown'}, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}`
  writeFileSync(
    file,
    page.replace(/<!-- bench -->[\s\S]*<!-- \/bench -->/, `<!-- bench -->\n${machine}\n\n${table}\n<!-- /bench -->`),
  )
}
if (rows.some(({ ok }) => !ok)) process.exitCode = 1

function format(value: number): string {
  return value >= 100 ? String(Math.round(value)) : value.toPrecision(2)
}
