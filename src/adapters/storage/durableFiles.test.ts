import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
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
      if (to.endsWith('-of-fat'))
        throw Object.assign(new Error('EPERM: link'), { code: 'EPERM', syscall: 'link', path: from })
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

it('a file system without links is named, and nothing is left there', () => {
  expect(() => makeFile(join(root, 'file-of-fat'), 'one')).toThrow(`The file system of ${root} makes no links`)
  expect(readdirSync(root).filter((name) => name.includes('of-fat'))).toEqual([])
})

it('of several that make a folder together each goes on, and a file in its place is no folder', () => {
  makeFile(join(root, 'plain'), '')
  expect(() => makeDirectory(join(root, 'plain'), 0o700)).toThrow('EEXIST')
  expect(() => makeDirectory(join(root, 'plain', 'below'), 0o700)).toThrow('ENOTDIR')
  symlinkSync(join(root, 'nowhere'), join(root, 'dangling'))
  expect(() => makeDirectory(join(root, 'dangling'), 0o700)).toThrow('EEXIST')
})

// In a process of its own: one that never comes back could not be ended from within.
it.runIf(process.platform === 'linux')('where nobody can make a folder, trying ends', () => {
  const { href } = new URL('./durableFiles.ts', import.meta.url)
  const tried = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', `(await import('${href}')).makeDirectory('/proc/openslot/data', 0o700)`],
    { encoding: 'utf8', timeout: 20_000 },
  )
  expect({ signal: tried.signal, status: tried.status }).toEqual({ signal: null, status: 1 })
  expect(tried.stderr).toContain("ENOENT: no such file or directory, mkdir '/proc/openslot'")
})
