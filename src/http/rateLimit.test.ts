import { describe, expect, it } from 'vitest'

import { network } from './rateLimit.ts'

describe('the network of an address', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:0DB8:0001:0002::1', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['9.9.9.9:51234', '9.9.9.9'],
    ['[2001:db8:1:2::7]:51234', '2001:db8:1:2'],
    ['[2001:db8:1:2::8]', '2001:db8:1:2'],
    ['::ffff:c000:207', '192.0.2.7'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['1:2:3:4:5:6:7:8::9', '1:2:3:4:5:6:7:8::9'],
    ['unknown', 'unknown'],
  ])('%s counts as %s', (address, expected) => {
    expect(network(address)).toBe(expected)
  })
})
