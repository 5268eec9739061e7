// What a TZID means: an IANA name, one behind a path, a Windows name, or whatever the object itself describes.
import { findIana } from 'windows-iana'

import type { Spend } from '../../core/calendar/recurrence.ts'
import { hourMs } from '../../core/time/instant.ts'
import { type Wall, wallAtOffset, wallOf } from '../../core/time/wall.ts'
import { isTimezone } from '../../core/time/zone.ts'
import { type Component, textOf } from './contentLines.ts'
import { describedWall } from './describedZone.ts'

/** `beforeMs`, `afterMs`: how much earlier and later it may truly be, where the zone is anyone's guess. */
export type WallWithMargin = { readonly wall: Wall; readonly beforeMs: number; readonly afterMs: number }

export type Zones = (tzid: string | undefined) => WallWithMargin

/** No wall on earth is further from UTC. */
const anywhere: WallWithMargin = { wall: wallAtOffset(0), beforeMs: 14 * hourMs, afterMs: 12 * hourMs }

/**
 * The zones of one object. Without a TZID it is `floating`, the calendar's own; undefined where that is not known.
 * An unknown zone is never free: the time is taken wherever on earth it may be.
 * What walls of the object's own cost is spent; they throw what `spend` throws.
 */
export function zonesOf(calendar: Component, floating: string | undefined, spend: Spend): Zones {
  const described = new Map<string, Component>()
  for (const component of calendar.components) {
    const name = component.name === 'VTIMEZONE' ? textOf(component, 'TZID') : undefined
    if (name !== undefined && !described.has(name)) described.set(name, component)
  }
  const own: WallWithMargin = floating === undefined ? anywhere : exactly(wallOf(floating))
  const known = new Map<string, WallWithMargin>()
  return (tzid) => {
    if (tzid === undefined || tzid === '') return own
    const found = known.get(tzid) ?? wallNamed(tzid, described.get(tzid), spend)
    known.set(tzid, found)
    return found
  }
}

/** The IANA zone that `tzid` names, if it is one that everybody knows. */
export function timezoneNamed(tzid: string): string | undefined {
  if (isTimezone(tzid)) return tzid
  const parts = tzid.split('/').filter((part) => part !== '')
  for (const count of [3, 2]) {
    const tail = parts.slice(-count).join('/')
    if (parts.length > count && isTimezone(tail)) return tail
  }
  const [fromWindows] = findIana(tzid.trim())
  return fromWindows !== undefined && isTimezone(fromWindows) ? fromWindows : undefined
}

/** The IANA zone of a VTIMEZONE's text, as a server tells the zone of a calendar; undefined where it names none. */
export function timezoneOfDescription(zone: Component): string | undefined {
  const tzid = textOf(zone, 'TZID') ?? ''
  return (/^(EST|MST|HST)$/.test(tzid) ? undefined : timezoneNamed(tzid)) ?? locationOf(zone)
}

function locationOf(zone: Component): string | undefined {
  const location = textOf(zone, 'X-LIC-LOCATION')
  return location === undefined ? undefined : timezoneNamed(location)
}

/** EST is a zone of one offset to some, and to others the winter of one that has two. */
function isAbbreviation(tzid: string): boolean {
  return /^[A-Z]{3,4}$/.test(tzid) && tzid !== 'UTC' && tzid !== 'GMT'
}

function wallNamed(tzid: string, description: Component | undefined, spend: Spend): WallWithMargin {
  const name = timezoneNamed(tzid)
  if (name !== undefined && (description === undefined || !isAbbreviation(tzid))) return exactly(wallOf(name))
  if (description === undefined) return anywhere
  const location = locationOf(description)
  return exactly(location === undefined ? describedWall(description, spend) : wallOf(location))
}

function exactly(wall: Wall): WallWithMargin {
  return { wall, beforeMs: 0, afterMs: 0 }
}
