// Calls from the pages to the server that served them: JSON in the API's envelope, failures as values.

/** As the ALTCHA protocol has it. */
export type Challenge = {
  readonly algorithm: string
  readonly challenge: string
  readonly maxnumber: number
  readonly salt: string
  readonly signature: string
}

export type CallProblem = {
  /** 0: no answer came. */
  readonly status: number
  /** As the API names it: `invalid_request_error`, `timeslot_not_available`, … */
  readonly type: string
  /** Written for the caller, in English; empty without an answer. */
  readonly message: string
  /** Of a server that asks for a proof of work. */
  readonly challenge?: Challenge
}

export type Answered<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: CallProblem }

export type Call = {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | undefined>>
  readonly body?: unknown
  /** A session or the reference of a booking. */
  readonly token?: string | undefined
  /** The same for every try of one thing, so that a repeat does it once. */
  readonly idempotencyKey?: string
}

const limitMs = 30_000

/** The envelope's `data`; undefined where there is none. */
export async function call<T>({ method, path, query, body, token, idempotencyKey }: Call): Promise<Answered<T>> {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query ?? {})) if (value !== undefined) parameters.set(name, String(value))
  const search = parameters.size === 0 ? '' : `?${parameters}`
  try {
    const response = await fetch(`${path}${search}`, {
      method,
      credentials: 'omit',
      cache: 'no-store',
      headers: {
        // So that a request which has changed is told from one that cannot be right.
        ...(body === undefined ? {} : { 'content-type': 'application/json', prefer: 'conflict-status=409' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(limitMs),
    })
    const envelope = (await response.json()) as {
      data?: T
      error?: { type?: string; message?: string; challenge?: Challenge }
    }
    if (response.ok && envelope.error === undefined) return { ok: true, value: envelope.data as T }
    const { type = '', message = '', challenge } = envelope.error ?? {}
    return {
      ok: false,
      problem: { status: response.status, type, message, ...(challenge === undefined ? {} : { challenge }) },
    }
  } catch (error) {
    // No answer (TypeError), none in time (a DOMException), or none that is JSON (SyntaxError).
    if (error instanceof TypeError || error instanceof DOMException || error instanceof SyntaxError)
      return { ok: false, problem: { status: 0, type: '', message: '' } }
    throw error
  }
}

/** Random enough for an idempotency key, also on pages without https, where `crypto.randomUUID` is missing. */
export function newKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
