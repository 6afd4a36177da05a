-- A worker that was removed stays as a row: the jobs, attempts and provenance of what it made go on naming it. Its name
-- is free again.
alter table workers add column removed_at timestamptz;
alter table workers drop constraint workers_name_key;
create unique index workers_named on workers (name) where removed_at is null;
alter table workers add constraint removed_is_disabled check (removed_at is null or status_id = 6);
comment on column workers.removed_at is 'status_id 6 is disabled';
