-- What is done about a failure is a row: how often it is tried again, whether that is the job's own fault, and what
-- a person is told when it is given up.
alter table failure_class
  add column spends boolean not null default true,
  add column mend text not null default '';
comment on column failure_class.spends is
  'Whether a retry is taken off the job''s own budget; where it is not, the class''s own count still ends it';
comment on column failure_class.mend is 'What to do before the job is retried by hand: the last sentence of its error';
comment on column failure_class.retries is
  'For out_of_memory: once with empty memory, then on ever larger workers; ends earlier when there is no larger one';
-- A row that nobody has tuned gets the new rule.
update failure_class set retries = 4 where code = 'out_of_memory' and retries = 1;
