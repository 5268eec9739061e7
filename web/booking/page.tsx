// What every part of a page may know: the words, the language, and how the guest's own browser writes dates.
import { createContext, type ReactNode, type RefObject, useContext, useEffect, useRef, useState } from 'react'

import type { PageDocument } from '../../src/wire/pages.ts'
import { localeOf } from '../shared/format.ts'
import type { Words } from './languages/en.ts'

export type Page = {
  readonly words: Words
  readonly language: string
  readonly languages: readonly string[]
  /** For dates and clocks: the guest's region, where the browser knows it. */
  readonly locale: string
  /** The page's own query, which goes along to where the guest is sent next. */
  readonly parameters: URLSearchParams
  /** Whether something was done, of which the page would know nothing if it were loaded again. */
  readonly isDone: boolean
  setDone(isDone: boolean): void
  /** What has been typed, for the page to take along where it is loaded again. */
  readonly typed: RefObject<object | undefined>
}

const PageContext = createContext<Page | undefined>(undefined)

export function PageProvider({
  document,
  children,
}: {
  readonly document: PageDocument
  readonly children: ReactNode
}) {
  const { language, languages } = document
  const [isDone, setDone] = useState(false)
  const typed = useRef<object>(undefined)
  const page: Page = {
    words: document.words as Words,
    language,
    languages,
    locale: localeOf(language, navigator.languages),
    parameters: new URLSearchParams(location.search),
    isDone,
    setDone,
    typed,
  }
  return <PageContext value={page}>{children}</PageContext>
}

export function usePage(): Page {
  const page = useContext(PageContext)
  if (page === undefined) throw new Error('usePage is for parts of a page')
  return page
}

/** Has `typed` taken along where the page is loaded again in another language; what it finds with `useTaken`. */
export function useTyped(typed: object | undefined): void {
  const { typed: place } = usePage()
  useEffect(() => {
    place.current = typed
    return () => {
      place.current = undefined
    }
  })
}
