// The languages of the pages, by code. The build hands them to the server, which puts the words of one into each page.
import { ar } from './ar.ts'
import { de } from './de.ts'
import { en, type Words } from './en.ts'
import { es } from './es.ts'
import { fr } from './fr.ts'
import { he } from './he.ts'
import { ja } from './ja.ts'
import { ko } from './ko.ts'
import { nl } from './nl.ts'
import { sv } from './sv.ts'
import { zh } from './zh.ts'

export const languages: Readonly<Record<string, Words>> = { en, ar, de, es, fr, he, ja, ko, nl, sv, zh }
