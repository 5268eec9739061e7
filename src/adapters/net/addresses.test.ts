import { describe, expect, it } from 'vitest'

import { addressCheck, isOpenPort } from './addresses.ts'

const publicOnly = addressCheck([])

describe('a public address', () => {
  it.each([
    '1.1.1.1',
    '8.8.8.8',
    '9.255.255.255',
    '11.0.0.0',
    '93.184.216.34',
    '100.63.255.255',
    '100.128.0.1',
    '126.255.255.255',
    '128.0.0.1',
    '169.253.255.255',
    '169.255.0.1',
    '172.15.255.255',
    '172.32.0.1',
    '192.167.255.255',
    '192.169.0.1',
    '198.17.255.255',
    '198.20.0.1',
    '203.0.112.255',
    '203.0.114.1',
    '223.255.255.255',
    '2000::1',
    '2606:4700:4700::1111',
    '3fef:ffff::1',
    '2a00:1450:4001:81b::200e',
    '::ffff:8.8.8.8',
  ])('%s may be called', (address) => expect(publicOnly(address)).toBe('public'))
})

describe('an address that is no public one', () => {
  it.each([
    [
      'loopback',
      ['127.0.0.1', '127.0.0.53', '127.1.2.3', '127.255.255.255', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1'],
    ],
    ['unspecified', ['0.0.0.0', '0.1.2.3', '::', '::ffff:0.0.0.0']],
    ['private', ['10.0.0.1', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.0.1', '::ffff:192.168.1.1']],
    ['link-local and metadata', ['169.254.0.1', '169.254.169.254', '169.254.170.2', 'fe80::1', 'fe80::1%eth0']],
    ['carrier', ['100.64.0.1', '100.127.255.255', '100.100.100.200']],
    ['unique local', ['fc00::1', 'fd00:ec2::254', 'fdff::1']],
    ['multicast', ['224.0.0.1', '239.255.255.255', 'ff02::1']],
    ['broadcast and reserved', ['255.255.255.255', '240.0.0.1', '250.1.1.1']],
    [
      'documentation and test',
      ['192.0.2.1', '198.51.100.1', '203.0.113.1', '198.18.0.1', '198.19.255.255', '2001:db8::1'],
    ],
    ['protocol assignments', ['192.0.0.1', '192.0.0.170', '192.88.99.1']],
    ['translated', ['64:ff9b::7f00:1', '64:ff9b::808:808', '2002:7f00:1::1', '2001:0:4136:e378:8000:63bf:3fff:fdd2']],
    ['IPv4 in the old way', ['::7f00:1', '::127.0.0.1', '::10.0.0.1', '::8.8.8.8', '::2']],
    ['not given out', ['1::1', '200::1', '1fff:ffff::1', '4000::1', '8000::1', 'e000::1', 'fec0::1', 'f000::1']],
    ['special blocks', ['100::1', '2001:2::1', '2001:10::1', '2001:20::1', '3fff::1', '5f00::1', '64:ff9b:1::1']],
    ['nonsense', ['', 'localhost', '999.1.1.1', '1.2.3.4.5', 'gggg::1', '1.2.3.4/8', ':::']],
  ])('%s may not be called', (_kind, addresses) => {
    for (const address of addresses) expect({ address, may: publicOnly(address) }).toEqual({ address, may: false })
  })
})

describe("the operator's list", () => {
  const check = addressCheck(['10.1.0.0/16', '192.168.7.7', 'fd00:1::/32', '64.0.0.0/2', '169.254.169.254'])

  it('opens what it names and nothing beside it', () => {
    for (const address of [
      '10.1.0.1',
      '10.1.255.255',
      '192.168.7.7',
      'fd00:1::5',
      '::ffff:10.1.2.3',
      '169.254.169.254',
    ])
      expect({ address, may: check(address) }).toEqual({ address, may: 'private' })
    for (const address of ['10.2.0.1', '192.168.7.8', 'fd00:2::5', '169.254.169.253'])
      expect({ address, may: check(address) }).toEqual({ address, may: false })
    expect(check('8.8.8.8')).toBe('public')
  })

  it('opens loopback only by an entry that means it', () => {
    expect(check('127.0.0.1')).toBe(false)
    expect(addressCheck(['0.0.0.0/0', '::/0'])('127.0.0.1')).toBe(false)
    expect(addressCheck(['127.0.0.0/8'])('127.0.0.1')).toBe('private')
    expect(addressCheck(['::1'])('::1')).toBe('private')
    expect(addressCheck(['::/0', '::/96', '::7f00:1'])('::7f00:1')).toBe(false)
  })

  it('never opens what is nobody, or everybody', () => {
    const all = addressCheck(['0.0.0.0/0', '::/0', '0.0.0.0', '224.0.0.0/4', '255.255.255.255'])
    for (const address of ['0.0.0.0', '::', '224.0.0.1', '255.255.255.255', 'ff02::1']) expect(all(address)).toBe(false)
  })
})

describe('a port', () => {
  it.each(['', '80', '443', '8080', '8443', '1024', '3000', '65535'])('"%s" may be called', (port) =>
    expect(isOpenPort(port)).toBe(true),
  )
  it.each(['0', '21', '22', '25', '110', '143', '993', '1023', '5432', '6379', '11211', '27017', '65536'])(
    '%s may not be called',
    (port) => expect(isOpenPort(port)).toBe(false),
  )
})
