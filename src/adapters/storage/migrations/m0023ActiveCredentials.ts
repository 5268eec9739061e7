// Which of its credentials a connector uses.

export const activeCredentials = `
alter table openslot.connectors add column active_credential_id text;
`
