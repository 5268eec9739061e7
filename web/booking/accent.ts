// The organizer's colour on this page, in light and in dark.
import { accentOn, readColour } from '../shared/colour.ts'

const lightPaper = [255, 255, 255] as const
/** As `--paper` in styles/tokens.css. */
const darkPaper = [23, 25, 30] as const

/** Without a colour, or with one that cannot be read, the page keeps its own. */
export function wearAccent(text: string | null | undefined): void {
  const colour = readColour(text ?? '')
  if (colour === undefined) return
  const { style } = document.documentElement
  for (const [mode, paper] of [
    ['light', lightPaper],
    ['dark', darkPaper],
  ] as const) {
    const { fill, onFill, edge, text: ink } = accentOn(colour, paper)
    style.setProperty(`--fill-${mode}`, fill)
    style.setProperty(`--on-fill-${mode}`, onFill)
    style.setProperty(`--edge-${mode}`, edge)
    style.setProperty(`--ink-${mode}`, ink)
  }
}
