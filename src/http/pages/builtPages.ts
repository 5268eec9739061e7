// The pages as the build left them: scripts and styles in memory, and the words of every language.
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'

export type Asset = {
  readonly type: string
  readonly plain: Buffer
  /** By content encoding, the smallest first. */
  readonly packed: readonly { readonly encoding: string; readonly bytes: Buffer }[]
}

export type BuiltPages = {
  /** By file name under `/assets/`. */
  readonly assets: ReadonlyMap<string, Asset>
  /** The script that other sites load. */
  readonly embed: Asset
  readonly script: string
  readonly styles: readonly string[]
  /** The words of each language, by its code; English is always among them. */
  readonly languages: Readonly<Record<string, Words>>
}

/** What this room reads of a catalogue; the pages read the rest. */
export type Words = {
  readonly direction: 'ltr' | 'rtl'
  readonly needsScript: string
  readonly loading: string
  readonly slow: string
  readonly retry: string
  readonly titles: Readonly<Record<string, string>>
}

type Manifest = Readonly<
  Record<string, { readonly file: string; readonly isEntry?: true; readonly css?: readonly string[] }>
>

const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** Undefined where nothing has been built; throws where what was built cannot be read. */
export function readBuiltPages(folder: string): BuiltPages | undefined {
  let manifest: Manifest
  try {
    manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Manifest
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return undefined
    throw error
  }
  const entry = Object.values(manifest).find(({ isEntry }) => isEntry)
  if (entry === undefined) throw new Error('the manifest of the pages names no entry')
  const embed = readAssets(join(folder, 'embed')).get('embed.js')
  if (embed === undefined) throw new Error('the pages were built without the script for other sites')
  return {
    assets: readAssets(join(folder, 'assets')),
    embed,
    script: `/${entry.file}`,
    styles: (entry.css ?? []).map((file) => `/${file}`),
    languages: JSON.parse(readFileSync(join(folder, 'languages.json'), 'utf8')) as Record<string, Words>,
  }
}

function readAssets(folder: string): Map<string, Asset> {
  const names = readdirSync(folder)
  const packings = [
    { encoding: 'br', ending: '.br' },
    { encoding: 'gzip', ending: '.gz' },
  ]
  return new Map(
    names.flatMap((name) => {
      const type = types[extname(name)]
      if (type === undefined) return []
      const packed = packings
        .filter(({ ending }) => names.includes(`${name}${ending}`))
        .map(({ encoding, ending }) => ({ encoding, bytes: readFileSync(join(folder, `${name}${ending}`)) }))
      return [[name, { type, plain: readFileSync(join(folder, name)), packed }] as const]
    }),
  )
}
