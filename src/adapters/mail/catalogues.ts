// The languages that mails are written in, by code.
import { de } from './languages/de.ts'
import { type Catalogue, en } from './languages/en.ts'
import { es } from './languages/es.ts'
import { fr } from './languages/fr.ts'
import { ja } from './languages/ja.ts'
import { ko } from './languages/ko.ts'
import { nl } from './languages/nl.ts'
import { sv } from './languages/sv.ts'
import { zh } from './languages/zh.ts'

export const catalogues: Readonly<Record<string, Catalogue>> = { en, fr, de, es, nl, sv, ja, zh, ko }

/** `locale` as it was given where dates can be written in it; English words for a language that is not there. */
export function catalogueOf(locale: string): { readonly locale: string; readonly catalogue: Catalogue } {
  const tag = locale.replaceAll('_', '-')
  const code = tag.split('-')[0]?.toLowerCase() ?? ''
  const catalogue = Object.hasOwn(catalogues, code) ? catalogues[code] : undefined
  if (catalogue === undefined) return { locale: 'en', catalogue: en }
  return { locale: isLocale(tag) ? tag : code, catalogue }
}

function isLocale(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}
