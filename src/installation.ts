// Where this program lies, and which version it is: in a checkout, in its build and in the published package alike.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const packageFolder = findPackageFolder(import.meta.dirname)

/** Of the guests' pages, once they are built. */
export const pagesFolder = join(packageFolder, 'dist', 'web')

export function readVersion(): string {
  return (JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as { version: string }).version
}

function findPackageFolder(from: string): string {
  return existsSync(join(from, 'package.json')) ? from : findPackageFolder(dirname(from))
}
