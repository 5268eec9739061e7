import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeEach, expect, it, vi } from 'vitest'

import { makeDirectory, makeFile, replaceFile } from './durableFiles.ts'

/** What reached the file system, in its order. */
const { calls, opened } = vi.hoisted(() => ({ calls: [] as string[], opened: new Map<number, string>() }))
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>()
  const shorten = (path: unknown) => String(path).replace(/-[0-9a-f]{8}-[0-9a-f-]{27}$/, '')
  return {
    ...fs,
    openSync: (path: string, flags: string) => {
      const descriptor = fs.openSync(path, flags)
      opened.set(descriptor, path)
      return descriptor
    },
    fsyncSync: (descriptor: number) => {
      calls.push(`flush ${opened.get(descriptor)}`)
      fs.fsyncSync(descriptor)
    },
    writeFileSync: (path: string, text: string, options: { flush?: boolean }) => {
      calls.push(`write ${shorten(path)}${options.flush === true ? ' and flush it' : ''}`)
      fs.writeFileSync(path, text, options)
    },
    linkSync: (from: string, to: string) => {
      calls.push(`link ${shorten(from)} ${to}`)
      fs.linkSync(from, to)
    },
    renameSync: (from: string, to: string) => {
      calls.push(`rename ${shorten(from)} ${to}`)
      fs.renameSync(from, to)
    },
  }
})

const root = mkdtempSync(join(tmpdir(), 'openslot-files-'))
const file = join(root, 'file')
afterAll(() => rmSync(root, { recursive: true }))
beforeEach(() => {
  calls.length = 0
})

it('a new file is flushed before it has its name, and its name before anyone relies on it', () => {
  expect(makeFile(file, 'one')).toBe(true)
  expect(calls).toEqual([`write ${file}.new and flush it`, `link ${file}.new ${file}`, `flush ${root}`])
  expect(makeFile(file, 'two')).toBe(false)
  expect(readFileSync(file, 'utf8')).toBe('one')
  expect(readdirSync(root)).toEqual(['file'])
})

it('a file is replaced in the same order', () => {
  replaceFile(file, 'three')
  expect(calls).toEqual([`write ${file}.new and flush it`, `rename ${file}.new ${file}`, `flush ${root}`])
  expect(readFileSync(file, 'utf8')).toBe('three')
  expect(readdirSync(root)).toEqual(['file'])
})

it('each new folder is flushed into the one above it, and one that was there costs nothing', () => {
  makeDirectory(join(root, 'a', 'b'), 0o700)
  expect(calls.sort()).toEqual([`flush ${root}`, `flush ${join(root, 'a')}`])
  calls.length = 0
  makeDirectory(join(root, 'a', 'b'), 0o700)
  expect(calls).toEqual([])
})
