/** The ceiling of a web server here: Fastify with one route that stringifies the same answer, and nothing else. */
import { readFileSync } from 'node:fs'

import fastify from 'fastify'

const answer: unknown = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'))
const server = fastify()
server.get('/answer', async () => answer)
const url = await server.listen({ port: 0, host: '127.0.0.1' })
process.stdout.write(`${JSON.stringify({ url })}\n`)
process.on('SIGTERM', () => void server.close())
