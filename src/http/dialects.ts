// Errors have two dialects: on the paths by which applications and accounts are administered, what is wrong has other names.

type Said = { readonly type: string; readonly message: string }

/** Grants are administered, what lies under them is not. */
const administered = /^\/v3\/((applications|connectors|connect|webhooks)(\/|\?|$)|grants(\/[^/?]*)?\/?(\?|$))/
const oneGrant = /^\/v3\/grants\/[^/?]+\/?(\?|$)/

const types: Readonly<Record<string, string>> = {
  invalid_request_error: 'api.invalid_request_error',
  unauthorized: 'api.authentication_error',
  not_found_error: 'api.not_found_error',
  provider_error: 'api.provider_error',
  rate_limit_error: 'api.rate_limit_error',
  internal_error: 'api.internal_error',
}

/** What is said where there is nothing more to say. */
const sentences: Readonly<Record<string, string>> = {
  'requested object not found': 'Resource not found.',
  'Too many requests, please try again shortly.': 'Rate limit error.',
}

/** Type and sentence as the callers of `url` know them; whatever has no other name there keeps its own. */
export function inDialectOf(url: string, { type, message }: Said): Said {
  if (!administered.test(url)) return { type, message }
  if (type === 'not_found_error' && oneGrant.test(url)) return { type: 'grant.not_found', message: 'Grant not found.' }
  if (type === 'invalid_request_error' && message === 'error parsing request body')
    return { type: 'api.invalid_request_payload', message: 'Invalid JSON payload format.' }
  return { type: types[type] ?? type, message: sentences[message] ?? message }
}
