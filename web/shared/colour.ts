// The organizer's colour, made safe to read: whatever is chosen, text on it and in it keeps its contrast.

type Rgb = readonly [number, number, number]

export type Accent = {
  /** Of buttons, and the text on them. */
  readonly fill: string
  readonly onFill: string
  /** Around the fill. */
  readonly edge: string
  /** As text and line on the page's own background. */
  readonly text: string
}

/** WCAG 2.2 AA for text; a little more, so that rounding cannot fall below it. */
const enough = 4.6
/** The same for text on paper that is tinted with the text's own colour. */
const enoughOnTint = 6.5
const enoughForShapes = 3

/** `#1a6` or `#11aa66`; undefined for anything else. */
export function readColour(text: string): Rgb | undefined {
  const hex = /^#?([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(text.trim())?.[1]
  if (hex === undefined) return undefined
  const full = hex.length === 3 ? [...hex].map((digit) => digit + digit).join('') : hex
  return [0, 2, 4].map((at) => Number.parseInt(full.slice(at, at + 2), 16)) as unknown as Rgb
}

/**
 * `paper`: the background that the colour stands on. The fill stays as it was chosen unless neither white nor black can
 * be read on it; where it hardly shows on the paper, its edge does.
 */
export function accentOn(colour: Rgb, paper: Rgb): Accent {
  const white: Rgb = [255, 255, 255]
  const black: Rgb = [0, 0, 0]
  const text = untilContrast(colour, paper, enoughOnTint)
  const onFill = contrast(colour, white) >= enough ? white : black
  const fill = untilContrast(colour, onFill, enough)
  const edge = contrast(fill, paper) >= enoughForShapes ? fill : text
  return { fill: write(fill), onFill: write(onFill), edge: write(edge), text: write(text) }
}

/** WCAG 2.2, 1 to 21. */
export function contrast(a: Rgb, b: Rgb): number {
  const [high, low] = [luminance(a), luminance(b)].toSorted((x, y) => y - x) as [number, number]
  return (high + 0.05) / (low + 0.05)
}

/** Mixes in black or white, away from `paper`, as little as it takes. */
function untilContrast(colour: Rgb, paper: Rgb, wanted: number): Rgb {
  const target = luminance(paper) > 0.18 ? 0 : 255
  for (let share = 0; share < 1; share += 0.04) {
    const mixed = colour.map((part) => Math.round(part + (target - part) * share)) as unknown as Rgb
    if (contrast(mixed, paper) >= wanted) return mixed
  }
  return [target, target, target]
}

function luminance(colour: Rgb): number {
  const [red, green, blue] = colour.map((part) => {
    const share = part / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  }) as unknown as Rgb
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function write(colour: Rgb): string {
  return `#${colour.map((part) => part.toString(16).padStart(2, '0')).join('')}`
}
