// Addresses to which a sign-in may lead back.

export const callbackPlatforms = ['web', 'desktop', 'js', 'ios', 'android'] as const

export type CallbackUri = {
  readonly id: string
  /** Compared byte for byte: a trailing slash matters. */
  readonly url: string
  readonly platform: (typeof callbackPlatforms)[number]
  readonly settings: Readonly<Record<string, unknown>>
}
