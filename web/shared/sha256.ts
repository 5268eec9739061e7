// SHA-256 (FIPS 180-4) of short texts. The browser's own is missing on pages without https, and slower for many short ones: each is a promise.

const roots = primes(64)
const constants = Uint32Array.from(roots, (prime) => fraction(Math.cbrt(prime)))
const start = Uint32Array.from(roots.slice(0, 8), (prime) => fraction(Math.sqrt(prime)))
const schedule = new Uint32Array(64)

/** Hexadecimal, in lower case. */
export function sha256(text: string): string {
  const bytes = new TextEncoder().encode(text)
  const state = start.slice()
  const padded = new Uint8Array(((bytes.length + 72) >> 6) << 6)
  padded.set(bytes)
  padded[bytes.length] = 0x80
  const view = new DataView(padded.buffer)
  view.setUint32(padded.length - 4, bytes.length * 8)
  for (let at = 0; at < padded.length; at += 64) mix(state, view, at)
  return [...state].map((word) => word.toString(16).padStart(8, '0')).join('')
}

function mix(state: Uint32Array, view: DataView, at: number): void {
  for (let i = 0; i < 16; i++) schedule[i] = view.getUint32(at + 4 * i)
  for (let i = 16; i < 64; i++) {
    const early = word(schedule, i - 15)
    const late = word(schedule, i - 2)
    schedule[i] =
      word(schedule, i - 16) +
      (turn(early, 7) ^ turn(early, 18) ^ (early >>> 3)) +
      word(schedule, i - 7) +
      (turn(late, 17) ^ turn(late, 19) ^ (late >>> 10))
  }
  let a = word(state, 0)
  let b = word(state, 1)
  let c = word(state, 2)
  let d = word(state, 3)
  let e = word(state, 4)
  let f = word(state, 5)
  let g = word(state, 6)
  let h = word(state, 7)
  for (let i = 0; i < 64; i++) {
    const first =
      (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + word(constants, i) + word(schedule, i)) | 0
    const second = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0
    h = g
    g = f
    f = e
    e = (d + first) | 0
    d = c
    c = b
    b = a
    a = (first + second) | 0
  }
  state[0] = word(state, 0) + a
  state[1] = word(state, 1) + b
  state[2] = word(state, 2) + c
  state[3] = word(state, 3) + d
  state[4] = word(state, 4) + e
  state[5] = word(state, 5) + f
  state[6] = word(state, 6) + g
  state[7] = word(state, 7) + h
}

function word(words: Uint32Array, at: number): number {
  return words[at] ?? 0
}

function turn(value: number, bits: number): number {
  return (value >>> bits) | (value << (32 - bits))
}

function primes(count: number): number[] {
  const found: number[] = []
  for (let number = 2; found.length < count; number++)
    if (found.every((prime) => number % prime !== 0)) found.push(number)
  return found
}

/** The first 32 bits behind the point. */
function fraction(value: number): number {
  return Math.floor((value - Math.floor(value)) * 2 ** 32)
}
