// The languages of the pages, by code. The build hands them to the server, which puts the words of one into each page.
import { en, type Words } from './en.ts'

export const languages: Readonly<Record<string, Words>> = { en }
