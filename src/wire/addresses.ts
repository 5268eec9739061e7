// Addresses that organizers write: where guests are sent, and which sites may show the pages.
import Type from 'typebox'

import { optional } from './common.ts'

/** Nothing that a browser would run, as `javascript:` is. */
export const webAddress = optional(
  Type.String({ maxLength: 2048, pattern: '^(https?://.*)?$', errorMessage: 'must be an http or https address' }),
)

/** Each lands in a header as it stands, so it is an origin and nothing else. */
export const allowedOrigin = Type.String({
  maxLength: 255,
  pattern: '^(\\*|https?://(\\*\\.)?[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]{1,5})?)$',
  errorMessage: 'must be an origin, as https://example.com is, or *',
})
