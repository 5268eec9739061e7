// Calendars elsewhere whose zone nobody knows: not the same as UTC.

export const unknownTimezonesRows = `
-- Of those elsewhere, which alone have mirrors, UTC has meant either. Whoever says UTC says it again when the calendar is read now.
update openslot.calendars as calendar set timezone = null from openslot.mirrors as mirror
where mirror.app_id = calendar.app_id and mirror.grant_id = calendar.grant_id and mirror.calendar_id = calendar.id and calendar.timezone = 'UTC';
update openslot.mirrors as mirror set token = null, generation = generation + 1, true_at = null,
  due_at = case when mirror.health = 'reconnect' then mirror.due_at else least(mirror.due_at, now()) end
from openslot.calendars as calendar
where calendar.app_id = mirror.app_id and calendar.grant_id = mirror.grant_id and calendar.id = mirror.calendar_id
  and calendar.timezone is null;
`

export const unknownTimezones = `
-- Null: nobody knows, and what stands there without a zone counts wherever on earth it may be.
alter table openslot.calendars alter column timezone drop not null;${unknownTimezonesRows}`
