// Applications and callback URIs as JSON.
import Type, { type Static, type TObject } from 'typebox'

import { type CallbackUri, callbackPlatforms } from '../core/account/callbackUri.ts'
import { invalidRequest } from '../core/problem.ts'
import { failure, type Result, success } from '../core/result.ts'
import { optional, withoutNulls } from './common.ts'

const text = optional(Type.String({ maxLength: 2048 }))

const brandingSchema = Type.Object({ name: text, icon_url: text, website_url: text, description: text })
const hostedAuthenticationSchema = Type.Object({
  background_image_url: text,
  alignment: optional(Type.Enum(['left', 'center', 'right'])),
  color_primary: text,
  color_secondary: text,
  title: text,
  subtitle: text,
  background_color: text,
  spacing: optional(Type.Integer({ minimum: 0, maximum: 10_000 })),
  terms_of_service_url: text,
  privacy_policy_url: text,
})

export const callbackUriData = Type.Object({
  id: Type.String(),
  url: Type.String(),
  platform: Type.String(),
  settings: Type.Optional(Type.Object({})),
})

export const applicationData = Type.Object({
  application_id: Type.String(),
  organization_id: Type.String(),
  region: Type.String(),
  environment: Type.Enum(['production', 'staging']),
  branding: brandingSchema,
  hosted_authentication: Type.Optional(hostedAuthenticationSchema),
  callback_uris: Type.Array(callbackUriData),
})

export const applicationChangeBody = Type.Object({
  branding: optional(brandingSchema),
  hosted_authentication: optional(hostedAuthenticationSchema),
})

type ApplicationView = {
  readonly id: string
  readonly name: string
  readonly region: string
  readonly settings: Readonly<Record<string, unknown>>
}

/** One application is its own organization: there is nothing above it here. */
export function applicationToJson(
  application: ApplicationView,
  uris: readonly CallbackUri[],
): Static<typeof applicationData> {
  const { branding, hosted_authentication: hosted } = application.settings as Static<typeof applicationChangeBody>
  return {
    application_id: application.id,
    organization_id: application.id,
    region: application.region,
    environment: 'production',
    branding: { name: application.name, ...branding },
    ...(hosted ? { hosted_authentication: hosted } : {}),
    callback_uris: uris.map(callbackUriToJson),
  }
}

/** What is left out keeps its value; an object that is sent is replaced whole, and null in it is the same as absent. */
export function changeApplicationSettings(settings: object, body: Static<typeof applicationChangeBody>): object {
  const { branding, hosted_authentication } = body
  return {
    ...settings,
    ...(branding === undefined ? {} : { branding: branding && knownOf(brandingSchema, branding) }),
    ...(hosted_authentication === undefined
      ? {}
      : { hosted_authentication: hosted_authentication && knownOf(hostedAuthenticationSchema, hosted_authentication) }),
  }
}

function knownOf({ properties }: TObject, fields: object): object {
  return Object.fromEntries(Object.entries(withoutNulls(fields)).filter(([name]) => Object.hasOwn(properties, name)))
}

const callbackUriFields = {
  platform: optional(Type.Enum([...callbackPlatforms])),
  settings: optional(
    Type.Object({
      origin: text,
      bundle_id: text,
      app_store_id: text,
      team_id: text,
      package_name: text,
      sha1_certificate_fingerprint: text,
    }),
  ),
}
const urlSchema = Type.String({ minLength: 1, maxLength: 2048 })

export const callbackUriBody = Type.Object({ url: urlSchema, ...callbackUriFields })
export const callbackUriChangeBody = Type.Object({ url: optional(urlSchema), ...callbackUriFields })
export const callbackUriParams = Type.Object({ id: Type.String() })

export function callbackUriToJson(uri: CallbackUri): Static<typeof callbackUriData> {
  return {
    id: uri.id,
    url: uri.url,
    platform: uri.platform,
    ...(Object.keys(uri.settings).length === 0 ? {} : { settings: uri.settings }),
  }
}

const neededSettings: Readonly<Record<string, readonly string[]>> = {
  js: ['origin'],
  ios: ['bundle_id'],
  android: ['package_name', 'sha1_certificate_fingerprint'],
}

/**
 * `body` laid over `before`, if there is one.
 * Problems: `invalidRequest` for an address that is neither https, nor http on this very machine, nor a phone's deep link.
 */
export function readCallbackUri(
  body: Static<typeof callbackUriChangeBody>,
  before?: CallbackUri,
): Result<Omit<CallbackUri, 'id'>> {
  const url = body.url ?? before?.url ?? ''
  const platform = body.platform ?? before?.platform ?? 'web'
  const sent = body.settings ?? before?.settings ?? {}
  const settings = Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== null && value !== undefined))
  if (!isAllowed(url, platform))
    return failure(
      invalidRequest('must be an https address, or http on localhost; ios and android may name a deep link', 'url'),
    )
  for (const name of neededSettings[platform] ?? [])
    if (!settings[name]) return failure(invalidRequest(`is required for ${platform}`, `settings.${name}`))
  return success({ url, platform, settings })
}

function isAllowed(url: string, platform: CallbackUri['platform']): boolean {
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^/?#\s]+)/i.exec(url)
  if (match === null || /\s/.test(url)) return false
  const scheme = match[1]?.toLowerCase()
  if (scheme === 'https') return true
  if (scheme === 'http') return /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i.test(match[2] ?? '')
  return (
    (platform === 'ios' || platform === 'android') && scheme !== 'javascript' && scheme !== 'data' && scheme !== 'file'
  )
}
