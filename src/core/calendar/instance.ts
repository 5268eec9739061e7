// Ids of instances: the series, and when the instance would have begun.
import type { EventId } from '../ids.ts'
import { dayMs, hourMs, type Instant, instant, minuteMs, secondMs } from '../time/instant.ts'
import { formatLocalDay, isLocalDate, localDay } from '../time/localDate.ts'

/** `<series>_<YYYYMMDDTHHMMSSZ>`. */
export function instanceId(masterId: EventId, originalStart: Instant): EventId {
  return `${masterId}_${utcStamp(originalStart)}` as EventId
}

/** `20260329T070000Z`, as ids and `EXDATE` have it. */
export function utcStamp(at: Instant): string {
  const day = Math.floor(at / dayMs)
  const within = at - day * dayMs
  const parts = [within / hourMs, (within % hourMs) / minuteMs, (within % minuteMs) / secondMs]
  const time = parts.map((part) => String(Math.floor(part)).padStart(2, '0')).join('')
  return `${formatLocalDay(day).replaceAll('-', '')}T${time}Z`
}

/** The series and the start that an id names, if it has the form of an instance's id. */
export function readInstanceId(
  id: string,
): { readonly masterId: EventId; readonly originalStart: Instant } | undefined {
  const match = /^(.+)_(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/s.exec(id)
  const date = `${match?.[2]}-${match?.[3]}-${match?.[4]}`
  if (match === null || !isLocalDate(date)) return undefined
  const [hours, minutes, seconds] = [Number(match[5]), Number(match[6]), Number(match[7])]
  if (hours > 23 || minutes > 59 || seconds > 59) return undefined
  const at = localDay(date) * dayMs + hours * hourMs + minutes * minuteMs + seconds * secondMs
  return { masterId: match[1] as EventId, originalStart: instant(at) }
}
