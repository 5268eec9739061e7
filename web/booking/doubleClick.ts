// Some people press everything twice. What the first click took away, the second one cannot mean.

/**
 * For a click that puts something else in its own place: what follows of a double click neither presses what has come
 * there, nor takes the focus from where it was led.
 */
export function endWithThisClick(): void {
  const events = ['mousedown', 'click'] as const
  const swallow = (event: MouseEvent) => {
    if (event.detail > 1) {
      event.preventDefault()
      event.stopPropagation()
    } else for (const name of events) removeEventListener(name, swallow, true)
  }
  for (const name of events) addEventListener(name, swallow, true)
}
