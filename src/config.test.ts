import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { describe, expect, it, onTestFinished } from 'vitest'

import { ConfigError, loadConfig, settings } from './config.ts'

describe('loadConfig', () => {
  it('needs no setting at all', () => {
    expect(loadConfig({})).toMatchObject({
      port: 3000,
      host: '127.0.0.1',
      baseUrl: 'http://localhost:3000',
      role: 'all',
      rateLimit: 'on',
      databaseUrl: undefined,
    })
  })

  it('takes an empty setting for an absent one', () => {
    const empty = Object.fromEntries(settings.map(({ name }) => [name, '']))
    expect(loadConfig(empty)).toEqual(loadConfig({}))
  })

  it('names every setting that cannot be used at once', () => {
    const load = () =>
      loadConfig({
        PORT: '70000',
        BASE_URL: 'book.example',
        DATABASE_URL: 'mysql://x',
        ROLE: 'boss',
        TRUSTED_PROXIES: 'proxy.example',
      })
    expect(load).toThrow(ConfigError)
    for (const name of ['PORT', 'BASE_URL', 'DATABASE_URL', 'ROLE', 'TRUSTED_PROXIES']) expect(load).toThrow(name)
  })

  it('refuses networks that are none, before anything is called', () => {
    for (const name of ['ALLOW_PRIVATE_NETWORK', 'ALLOW_PRIVATE_CALENDARS', 'TRUSTED_PROXIES']) {
      for (const network of [
        '999.1.1.1',
        '10.0.0.0/99',
        '10.0.0.0/33',
        'fd00::/129',
        '10.1',
        '2130706433',
        '1::2::3',
        '10.0.0.0/',
      ])
        expect(() => loadConfig({ [name]: `192.168.0.0/16,${network}` }), network).toThrow(
          `${name} lists "${network}", which is neither an address nor a CIDR block.`,
        )
      for (const network of ['10.0.0.0/32', '192.168.7.7', 'fd00::/128', '10.0.0.5/8'])
        expect(() => loadConfig({ [name]: network }), network).not.toThrow()
    }
  })

  it('refuses proxies that are everybody', () => {
    for (const network of ['0.0.0.0/0', '::/0', '10.0.0.1/0', '::/00'])
      expect(() => loadConfig({ TRUSTED_PROXIES: `127.0.0.1,${network}` }), network).toThrow(
        `TRUSTED_PROXIES lists "${network}", which is everybody`,
      )
    for (const network of ['127.0.0.1', '::ffff:127.0.0.1', '::ffff:10.0.0.0/104', '0.0.0.0/1'])
      expect(loadConfig({ TRUSTED_PROXIES: network }).trustedProxies).toEqual([network])
  })

  it('takes a private RSA key as text or as a file, and nothing else, for mails would go out unsigned', () => {
    const directory = mkdtempSync(join(tmpdir(), 'openslot-dkim-'))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    const load = (key: string) =>
      loadConfig({
        SMTP_URL: 'smtp://mail.example',
        MAIL_FROM: 'desk@book.example',
        DKIM_SELECTOR: 'k1',
        DKIM_KEY: key,
      })
    const inFile = (text: string) => {
      writeFileSync(join(directory, 'dkim.pem'), text)
      return join(directory, 'dkim.pem')
    }
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const old = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()
    for (const text of [pem, old]) {
      expect(load(text).mail.dkim).toEqual({ selector: 'k1', key: text.trim() })
      expect(load(inFile(text)).mail.dkim).toEqual({ selector: 'k1', key: text })
    }
    const sealed = privateKey
      .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
      .toString()
    const others = [
      '-----BEGIN PRIVATE KEY----- garbage',
      pem.replaceAll('\n', ''),
      sealed,
      publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ]
    for (const text of [...others, ...others.map(inFile), inFile('')])
      expect(() => load(text), text).toThrow('DKIM_KEY must be a private RSA key as PEM')
    expect(() => load('/nowhere/dkim.pem')).toThrow('DKIM_KEY names a file that cannot be read (ENOENT).')
    const bare = pem.split('\n').slice(1, -2).join('')
    expect(() => load(bare)).toThrow('DKIM_KEY names a file that cannot be read')
    expect(() => load(bare)).not.toThrow(bare.slice(0, 40))
  })

  it('wants a host in SMTP_URL, for without one it would mean this machine', () => {
    const load = (url: string) => () => loadConfig({ SMTP_URL: url, MAIL_FROM: 'desk@book.example' })
    for (const url of ['smtp://', 'smtp:', 'smtps://:465', 'smtp://me:secret@', 'smtp:///x', 'http://mail.example'])
      expect(load(url), url).toThrow('SMTP_URL must begin with smtp:// or smtps:// and name a host.')
    for (const url of ['smtp://localhost', 'smtps://me:secret@mail.example:465', 'smtp://[::1]:25'])
      expect(load(url), url).not.toThrow()
  })

  it('does not repeat a password that it complains about', () => {
    expect(() => loadConfig({ DATABASE_URL: 'mysql://me:hunter2@host/x' })).not.toThrow('hunter2')
  })

  it('takes the slash off the end of BASE_URL and reads lists', () => {
    expect(
      loadConfig({ BASE_URL: 'https://book.example/', ALLOW_PRIVATE_NETWORK: '10.0.0.0/8, fd00::/8' }),
    ).toMatchObject({
      baseUrl: 'https://book.example',
      allowPrivateNetwork: ['10.0.0.0/8', 'fd00::/8'],
    })
  })

  it('keeps the private networks of webhooks and those of calendars apart', () => {
    const { allowPrivateNetwork, allowPrivateCalendars } = loadConfig({ ALLOW_PRIVATE_CALENDARS: '10.0.0.0/8' })
    expect([allowPrivateNetwork, allowPrivateCalendars]).toEqual([[], ['10.0.0.0/8']])
    expect(() => loadConfig({ ALLOW_PRIVATE_CALENDARS: 'exchange.local' })).toThrow('ALLOW_PRIVATE_CALENDARS')
  })
})

describe('docs/configuration.md', () => {
  const rows = readFileSync(new URL('../docs/configuration.md', import.meta.url), 'utf8')
    .split('\n')
    .flatMap((line) => (/^\| `([A-Z_]+)` \| (.*?) \| (.*) \|$/.exec(line) === null ? [] : [line]))

  it('lists every setting with its default and its meaning, and none that is not there', () => {
    expect(rows).toEqual(
      settings.map(
        ({ name, fallback, meaning }) =>
          `| \`${name}\` | ${fallback === '' ? '(empty)' : `\`${fallback}\``} | ${meaning} |`,
      ),
    )
  })

  it('lets webhooks and calendars call this machine itself in development only', () => {
    for (const [name, key] of [
      ['ALLOW_PRIVATE_NETWORK', 'allowPrivateNetwork'],
      ['ALLOW_PRIVATE_CALENDARS', 'allowPrivateCalendars'],
    ] as const)
      for (const network of ['127.0.0.1', '127.0.0.0/8', '::1', '10.0.0.0/8,::1/128']) {
        const development = { [name]: network, BASE_URL: 'http://localhost:3000' }
        expect(loadConfig(development)[key]).toEqual(network.split(','))
        expect(() => loadConfig({ ...development, BASE_URL: 'https://book.example' })).toThrow(`${name} lists`)
      }
    expect(loadConfig({ ALLOW_PRIVATE_NETWORK: '10.0.0.0/8', BASE_URL: 'https://book.example' }).baseUrl).toBe(
      'https://book.example',
    )
  })
})
