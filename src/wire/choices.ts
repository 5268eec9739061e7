// Several choices in one text: the answer to a `multi_select`, whose options are joined by commas.

/**
 * The options that `text` names, in its order; undefined where a part of it is none. Spaces around commas do not count.
 * Options may hold commas of their own (`Red, green`): of two ways to read a part, the one that takes more of it is meant.
 */
export function readChoices(text: string, options: readonly string[]): string[] | undefined {
  const parts = partsOf(text)
  const known = options
    .map((option) => ({ option, parts: partsOf(option) }))
    .sort((a, b) => b.parts.length - a.parts.length)
  // From the end: which option begins at a part, where all that follows it can be read as well.
  const chosen: ((typeof known)[number] | undefined)[] = []
  for (let at = parts.length - 1; at >= 0; at--)
    chosen[at] = known.find(({ parts: own }) => {
      const end = at + own.length
      if (end > parts.length || (end < parts.length && chosen[end] === undefined)) return false
      return own.every((part, index) => part === parts[at + index])
    })
  const choices: string[] = []
  for (let at = 0; at < parts.length; ) {
    const found = chosen[at]
    if (found === undefined) return undefined
    choices.push(found.option)
    at += found.parts.length
  }
  return choices
}

function partsOf(text: string): string[] {
  return text.split(',').map((part) => part.trim())
}
