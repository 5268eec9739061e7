// Conferences of configurations and events, as JSON: who holds them, where they are, and the wish that one be made.
import Type from 'typebox'

import { optional } from './common.ts'

/** Whom a conference can be asked of. */
const makers = ['Google Meet', 'Zoom Meeting', 'Microsoft Teams'] as const
/** Whose conferences can be named by their details. */
const providers = [
  ...makers,
  'Teams for Business',
  'Skype for Consumer',
  'Skype for Business',
  'WebEx',
  'GoToMeeting',
] as const

const text = optional(Type.String({ maxLength: 255 }))

/** Whatever else a provider's conference has is kept as it is. */
const details = Type.Object(
  {
    url: Type.String({ maxLength: 2048, pattern: '^https?://', errorMessage: 'must be an http or https address' }),
    phone: optional(Type.Array(Type.String({ maxLength: 255 }), { maxItems: 50 })),
    pin: text,
    meeting_code: text,
    password: text,
  },
  { additionalProperties: true },
)

/** Settings are the provider's own. */
const autocreate = Type.Object({ conf_grant_id: text, conf_settings: optional(Type.Object({})) })

const isObject = { type: 'object' }

/**
 * What one provider asks for and another does not. It stands in the schema, so that it is asked of what is sent and not
 * of what was kept before.
 */
const perProvider = [
  {
    if: { required: ['autocreate'], properties: { autocreate: isObject } },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: {
      properties: {
        provider: {
          enum: [...makers, '', null],
          errorMessage: `must be one of ${makers.join(', ')} for a conference that is to be made`,
        },
      },
    },
  },
  {
    if: {
      required: ['provider', 'autocreate'],
      properties: { provider: { const: 'Zoom Meeting' }, autocreate: isObject },
    },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: {
      properties: {
        autocreate: {
          required: ['conf_grant_id'],
          properties: {
            conf_grant_id: { type: 'string', minLength: 1, errorMessage: 'is required for Zoom Meeting' },
          },
        },
      },
    },
  },
  {
    if: { required: ['provider', 'details'], properties: { provider: { const: 'Google Meet' }, details: isObject } },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: {
      properties: {
        details: {
          properties: { phone: { maxItems: 1, errorMessage: 'must be one number at most for Google Meet' } },
        },
      },
    },
  },
]

/** Either `details` or `autocreate`; empty, there is no conference. That it is one of them is for its readers to see to. */
export const conferencingSchema = Type.Object(
  {
    provider: optional(
      // Empty is what some editors send for none.
      Type.Enum([...providers, ''], { errorMessage: `must be one of ${providers.join(', ')}` }),
    ),
    autocreate: optional(autocreate),
    details: optional(details),
  },
  { allOf: perProvider },
)
