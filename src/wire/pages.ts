// What the server writes into a page for the page's own script: what it shows first, so that it need not ask for it.
import type { UiSettings } from './uiSettings.ts'

/** The starts of slots in a half-open span; all in Unix seconds, in order. */
export type SlotStarts = { readonly from: number; readonly until: number; readonly starts: readonly number[] }

/** Which page a link opens: `/reschedule/…`, `/cancel/…`, `/confirmation/…`. */
export type LinkKind = 'reschedule' | 'cancel' | 'confirmation'

export type PageData =
  | {
      readonly kind: 'book'
      readonly settings: UiSettings
      /** Absent where a host's calendar could not be read: the page asks again. */
      readonly slots?: SlotStarts
    }
  /** A private configuration: the page waits for a session, and asks with it. */
  | { readonly kind: 'private'; readonly configuration_id: string }
  /** Nothing is told apart here: never was, is no more, tampered with. */
  | { readonly kind: 'missing' }
  | { readonly kind: 'busy' }

/** The whole of what a page's script reads. */
export type PageDocument = {
  readonly page: PageData
  /** A code of the catalogues, which chose `words`. */
  readonly language: string
  readonly languages: readonly string[]
  readonly words: unknown
}
