// Which of our languages a guest reads best.

/** The first that is asked for by name, else the first that the browser accepts, else English. `codes` are lower-case. */
export function chooseLanguage(
  codes: readonly string[],
  named: readonly string[],
  accepted: string | undefined,
): string {
  const wanted = [...named, ...readAccepted(accepted ?? '')]
  for (const tag of wanted) {
    // What stands behind a link in a text may have come along.
    const code = /^[a-z]*/.exec(tag.toLowerCase())?.[0]
    // `iw` is what Hebrew was called once, and some browsers still do.
    const found = codes.find((candidate) => candidate === (code === 'iw' ? 'he' : code))
    if (found !== undefined) return found
  }
  return 'en'
}

/** `Accept-Language`, the best liked first (RFC 9110 §12.5.4). */
function readAccepted(header: string): string[] {
  return header
    .slice(0, 500)
    .split(',')
    .map((entry) => {
      const [tag = '', ...parameters] = entry.trim().split(';')
      const weight = parameters.map((parameter) => /^\s*q=([\d.]+)$/.exec(parameter)?.[1]).find(Boolean)
      return { tag: tag.trim(), weight: weight === undefined ? 1 : Number(weight) }
    })
    .filter(({ tag, weight }) => /^[A-Za-z]{2,8}([-_]|$)/.test(tag) && weight > 0)
    .sort((a, b) => b.weight - a.weight)
    .map(({ tag }) => tag)
}
