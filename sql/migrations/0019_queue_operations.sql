-- What people do with the queue: pin a job to a worker, let a pause begin when one job has ended; and what placement
-- learns: how much graphics memory a workflow has taken.
alter table jobs add column pinned_worker_id uuid references workers on delete set null;
create index on jobs (pinned_worker_id) where pinned_worker_id is not null;
comment on column jobs.pinned_worker_id is 'The one worker that may run it; null where any able one may';

alter table queue_pauses add column after_job_id uuid references jobs on delete set null;
create index on queue_pauses (after_job_id) where after_job_id is not null;
comment on column queue_pauses.after_job_id is 'The pause begins when this job has ended; null: it is in force';

create table workflow_memory (
  workflow_version_id uuid primary key references workflow_versions on delete cascade,
  -- The most that a worker's GPU held during each of the last 20 runs, newest first.
  recent_bytes bigint[] not null check (cardinality(recent_bytes) between 1 and 20),
  updated_at timestamptz not null default now()
);
