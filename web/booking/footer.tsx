// The way to another language: the same page, asked for by name.
import { loadAgain } from './calls/taken.ts'
import { isFramed } from './frame.ts'
import { usePage } from './page.tsx'

/** In a frame the page around has chosen the language; and what was done is not to be had in another one. */
export function Footer() {
  const { words, language, languages, isDone, typed } = usePage()
  if (isFramed || isDone) return null
  const names = new Map(languages.map((code) => [code, nameOf(code)]))
  return (
    <footer className="page footer">
      <label>
        <span>{words.language}</span>
        <select
          value={language}
          onChange={(event) => {
            const address = new URL(location.href)
            address.searchParams.delete('language')
            address.searchParams.set('lang', event.target.value)
            if (typed.current === undefined) location.replace(address)
            else loadAgain(typed.current, address.href)
          }}
        >
          {[...names].map(([code, name]) => (
            <option key={code} value={code} lang={code}>
              {name}
            </option>
          ))}
        </select>
      </label>
    </footer>
  )
}

/** As its own speakers call it. */
function nameOf(code: string): string {
  return new Intl.DisplayNames(code, { type: 'language' }).of(code) ?? code
}
