// What PostgreSQL says of files that are lost or spoilt, and what is to be done about it.

/** Of a cluster that does not start. */
const lost = [
  /could not (open|read|access|find) (file|directory) "[^"]*": (No such file or directory|Input\/output error)/,
  /could not access the server configuration file/,
  /could not (locate a valid checkpoint|read (blocks?|relation|.{0,200}checkpoint)|access status of transaction|open relation)/,
  /database files are incompatible with server/,
  /(incorrect|invalid) (checksum|page)|could not load .{0,200}map|is not a valid data directory/,
  /required WAL directory/,
]

/** Data corrupted, index corrupted, a file that is not there, and one that cannot be read. */
const spoiltStates = /^(XX00[12]|58P01|58030)$/

/** Whether these words of a PostgreSQL that does not start tell of files that are lost or spoilt. */
export function tellsOfDamage(words: string): boolean {
  return lost.some((sentence) => sentence.test(words))
}

/** The same of an error that a statement, or signing in, was answered with. */
export function isDamage(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  if (!(error instanceof Error) || typeof code !== 'string') return false
  return spoiltStates.test(code) || (code === 'XX000' && tellsOfDamage(error.message))
}

/** `found`: what PostgreSQL says; `place`: the folder with its files, where that is known. */
export function explainDamage(found: string, place?: string): string {
  const what = place === undefined ? 'The database' : `The database in ${place}`
  const first = place === undefined ? 'Keep a copy of its files' : 'Move that folder away and keep it'
  return `${what} is damaged (${found}). ${first}, see that the disk is sound, and bring back the last backup: "openslot restore FILE" into an empty database.`
}
