import { describe, expect, it } from 'vitest'

import { clientAddress, readAddress, trustOf } from './clientAddress.ts'

const nonsense = [
  '',
  'unknown',
  '_hidden',
  '1:2:3:4:5:6:7:8::9',
  '1.2.3',
  '2130706433',
  '0x7f.1',
  '1.2.3.4.5',
  '[::1',
  ':::',
]

describe('an address as proxies write it', () => {
  it.each([
    ['9.9.9.9', '9.9.9.9'],
    [' 9.9.9.9 ', '9.9.9.9'],
    ['9.9.9.9:443', '9.9.9.9'],
    ['::ffff:9.9.9.9', '9.9.9.9'],
    ['[::ffff:9.9.9.9]:443', '9.9.9.9'],
    ['2001:DB8::1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
  ])('%s is %s', (text, expected) => {
    expect(readAddress(text)?.toString()).toBe(expected)
  })

  it.each(nonsense)('%j is none', (text) => {
    expect(readAddress(text)).toBeUndefined()
  })
})

describe('who asks', () => {
  it('is whom the proxies name', () => {
    expect(clientAddress({ ip: '9.9.9.9:5000', socket: { remoteAddress: '127.0.0.1' } })).toBe('9.9.9.9')
  })

  it('is the socket where they name no address', () => {
    for (const ip of nonsense)
      expect(clientAddress({ ip, socket: { remoteAddress: '::ffff:127.0.0.1' } })).toBe('127.0.0.1')
    expect(clientAddress({ ip: '', socket: {} })).toBe('unknown')
  })
})

describe('a proxy', () => {
  const trust = trustOf([
    '127.0.0.1',
    '10.1.0.0/16',
    '::ffff:192.168.0.0/112',
    '::ffff:172.16.0.1',
    'fd00::/8',
    '200.0.0.0/7',
  ])

  it.each([
    '127.0.0.1',
    '::ffff:127.0.0.1',
    '10.1.2.3',
    '10.1.2.3:8080',
    '192.168.0.9',
    '172.16.0.1',
    'fd12::1',
    '200.1.1.1',
  ])('%s is trusted', (address) => {
    expect(trust(address)).toBe(true)
  })

  it.each(['127.0.0.2', '10.2.0.1', '192.169.0.1', '172.16.0.2', 'fe80::1', '::1', ...nonsense])(
    '%j is not',
    (address) => {
      expect(trust(address)).toBe(false)
    },
  )

  it('on a socket without an address is not', () => {
    expect(trust(undefined)).toBe(false)
  })
})
