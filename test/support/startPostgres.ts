/** A program for tests: starts the embedded PostgreSQL on the folder it is given, says so as a line of JSON, and stops at SIGTERM. */

import { startEmbeddedPostgres } from '../../src/adapters/storage/embedded/embedded.ts'

const dataDirectory = process.argv[2]
if (dataDirectory === undefined) throw new Error('usage: startPostgres.ts DIRECTORY')
const server = await startEmbeddedPostgres({ dataDirectory, log: (message) => console.error(message) })
console.log(JSON.stringify({ adopted: server.adopted, host: server.connection.host }))
process.once('SIGTERM', () => void server.stop())
