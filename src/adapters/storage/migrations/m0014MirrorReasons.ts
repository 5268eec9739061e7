// What is wrong with a calendar elsewhere, and which of its events says so: the second is for its owner alone.

export const mirrorReasonsRows = `
update openslot.mirrors set reason = split_part(reason, E'\\n', 1), about = nullif(substr(reason, strpos(reason, E'\\n') + 1), '')
where strpos(reason, E'\\n') > 0;
`

export const mirrorReasons = `
alter table openslot.mirrors add column about text;${mirrorReasonsRows}`
