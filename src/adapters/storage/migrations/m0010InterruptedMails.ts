// Attempts at a mail whose process died before it could write down what became of them.

export const interruptedMails = `
-- Set while a process is at the mail. Who takes a mail that has it, after the lease, knows that another one died over it.
alter table openslot.deliveries add column mail_begun_at timestamptz;
alter table openslot.mail_attempts drop constraint mail_attempts_outcome_check;
alter table openslot.mail_attempts add constraint mail_attempts_outcome_check
  check (outcome in ('sent', 'refused', 'deferred', 'kept', 'interrupted'));
`
