import { randomBytes } from 'node:crypto'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'

import { describe, expect, it, onTestFinished } from 'vitest'

import { loadMasterKeys, MasterKeys, parseMasterKeys } from './masterKeys.ts'

const text = (kid: string) => `${kid}:${randomBytes(32).toString('base64')}`

describe('MASTER_KEY', () => {
  it('is never empty: nothing is kept in plain text', () => {
    expect(() => loadMasterKeys(' , ', '/nowhere', () => {})).toThrow('MASTER_KEY holds no key')
    expect(() => new MasterKeys([])).toThrow('MASTER_KEY holds no key')
  })

  it.each(['nokid', 'a:short', `way-too-long-kid:${Buffer.alloc(32).toString('base64')}`])(
    'is refused as %j',
    (given) => {
      expect(() => parseMasterKeys(given, 'MASTER_KEY')).toThrow('MASTER_KEY must be kid:base64')
    },
  )

  it('of one name twice is refused, because nobody could tell which is meant', () => {
    expect(() => parseMasterKeys(`${text('a')},${text('a')}`, 'MASTER_KEY')).toThrow('names "a" twice')
  })

  it('takes no new key from a command', () => {
    expect(() => loadMasterKeys(text('a'), '/nowhere', () => {}).addFirst()).toThrow('The keys are in MASTER_KEY')
  })
})

describe('the key file', () => {
  const makeDirectory = () => {
    const path = mkdtempSync(join(tmpdir(), 'openslot-keys-'))
    onTestFinished(() => rmSync(path, { recursive: true }))
    return path
  }
  const load = (directory: string) => {
    const made: string[] = []
    return { keys: loadMasterKeys(undefined, directory, (path) => made.push(path)), made }
  }

  it('is made by the first that has to seal, for its owner alone, and by nobody else', () => {
    const directory = join(makeDirectory(), 'data')
    const { keys, made } = load(directory)
    expect(keys.isEmpty).toBe(true)
    expect(keys.readAgain()).toBe(false)
    expect(existsSync(directory)).toBe(false)
    const first = keys.first()
    const path = join(directory, 'master.key')
    expect(made).toEqual([path])
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(keys.first()).toEqual(first)
    expect(load(directory).keys.first()).toEqual(first)
    expect(readdirSync(directory)).toEqual(['master.key'])
  })

  it('is made once, whoever starts at the same time', async () => {
    const starters = 4
    const rounds = Array.from({ length: 25 }, makeDirectory)
    const gate = new Int32Array(new SharedArrayBuffer(4 * rounds.length))
    const workers = Array.from({ length: starters }, () => {
      const worker = new Worker(
        `const { workerData: { module, rounds, gate, starters }, parentPort } = require('node:worker_threads')
        import(module).then(({ loadMasterKeys }) => parentPort.postMessage(rounds.map((directory, round) => {
          const keys = loadMasterKeys(undefined, directory, () => {})
          const here = Atomics.add(gate, round, 1) + 1
          if (here === starters) Atomics.notify(gate, round)
          else for (let seen = here; seen < starters; seen = Atomics.load(gate, round)) Atomics.wait(gate, round, seen)
          return keys.first().key.toString('hex')
        })))`,
        { eval: true, workerData: { module: import.meta.resolve('./masterKeys.ts'), rounds, gate, starters } },
      )
      return new Promise<string[]>((resolve, reject) => worker.once('message', resolve).once('error', reject))
    })
    const seen = await Promise.all(workers)
    for (const [round, directory] of rounds.entries()) {
      const kept = parseMasterKeys(readFileSync(join(directory, 'master.key'), 'utf8'), 'file')[0]?.key.toString('hex')
      expect(seen.map((keys) => keys[round])).toEqual(Array(starters).fill(kept))
    }
  }, 30_000)

  it('takes a new first key, which those who run see when they have to seal or miss one', () => {
    const directory = makeDirectory()
    const path = join(directory, 'master.key')
    const old = load(directory).keys.first()
    const [server, command] = [load(directory).keys, load(directory).keys]
    const fresh = command.addFirst()
    expect(readFileSync(path, 'utf8')).toMatch(new RegExp(`^${fresh.kid}:\\S+,${old.kid}:\\S+\\n$`))
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(server.has(fresh.kid)).toBe(false)
    expect(server.readAgain()).toBe(true)
    expect(server.toOpen(old.kid)).toEqual([old, fresh])
    expect(server.first()).toEqual(fresh)
    expect(readdirSync(directory)).toEqual(['master.key'])
  })

  it('has nothing of its drafts left beside it by a start, but what somebody may still be at', () => {
    const directory = makeDirectory()
    const { keys } = load(directory)
    keys.prepare()
    const draft = (name: string) => join(directory, `master.key.new-${name}`)
    for (const name of ['old', 'young']) writeFileSync(draft(name), text(name))
    const anHourAgo = Date.now() / 1_000 - 3_600
    utimesSync(draft('old'), anHourAgo, anHourAgo)
    utimesSync(join(directory, 'master.key'), anHourAgo, anHourAgo)
    load(directory).keys.prepare()
    expect(readdirSync(directory).sort()).toEqual(['master.key', 'master.key.new-young'])
  })

  it('keeps open what was taken out of it, and seals under what stands in it', () => {
    const directory = makeDirectory()
    const { keys } = load(directory)
    const old = keys.first()
    writeFileSync(join(directory, 'master.key'), text('new'))
    expect(keys.first().kid).toBe('new')
    expect(keys.toOpen(old.kid)[0]).toEqual(old)
  })

  it('is not made anew where it was lost, nor where its content was', () => {
    const directory = makeDirectory()
    const path = join(directory, 'master.key')
    const { keys } = load(directory)
    keys.first()
    rmSync(path)
    expect(() => keys.first()).toThrow(`${path} is gone`)
    expect(() => keys.addFirst()).toThrow(`${path} is gone`)
    expect(existsSync(path)).toBe(false)
    writeFileSync(path, '\n')
    expect(() => load(directory)).toThrow(`${path} holds no key`)
    writeFileSync(path, 'k1')
    expect(() => load(directory)).toThrow(`${path} must be kid:base64`)
  })
})
