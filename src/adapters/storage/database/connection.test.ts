import { expect, test } from 'vitest'
import { toClientConfig } from './connection.ts'

test.each(['postgres://u:p@db.example.com/openslot', 'postgresql://u@10.1.2.3:5433/openslot'])(
  '%s is reached over verified TLS',
  (url) => {
    expect(toClientConfig({ url })).toEqual({ connectionString: url, ssl: { rejectUnauthorized: true } })
  },
)

test.each([
  'postgres://u:p@localhost/openslot',
  'postgres://u@127.0.0.1:5433/openslot',
  'postgres://u@[::1]/openslot',
  'postgres:///openslot?host=/run/postgresql',
  'postgres://u:p@postgres/openslot?sslmode=disable',
])('%s is taken as it says', (url) => {
  expect(toClientConfig({ url })).toEqual({ connectionString: url })
})

test('the socket of the embedded PostgreSQL needs no TLS', () => {
  const connection = { host: '/tmp/socket', port: 5432, user: 'openslot_app', database: 'openslot' }
  expect(toClientConfig(connection)).toBe(connection)
})
