create table jobs (
  id uuid primary key,
  kind_id smallint not null references job_kind on delete restrict,
  lane_id smallint not null references lane on delete restrict,
  status_id smallint not null references job_status on delete restrict,
  project_id uuid references projects on delete restrict,
  user_id uuid references users on delete set null,
  priority smallint not null default 0 check (priority between -10 and 10),
  -- Order within a lane, smaller first, in virtual microseconds; the formula is in server/jobs/queries.ts.
  order_key bigint not null,
  -- Virtual time at which the user has had this job's share of the lane.
  fair_end bigint not null,
  -- Expected run time when it was submitted: what it counts for in fair share and ETA.
  cost_ms integer not null check (cost_ms > 0),
  -- Megapixels × frames, so that run times of different sizes can be compared.
  work real check (work > 0),
  run_at timestamptz not null default now(),
  input jsonb not null,
  output jsonb,
  workflow_version_id uuid references workflow_versions on delete restrict,
  worker_id uuid references workers on delete set null,
  -- What the job works for; at most one.
  seed_id uuid references seeds on delete restrict,
  take_id uuid references takes on delete restrict,
  cut_id uuid references cuts on delete restrict,
  master_id uuid references masters on delete restrict,
  file_hash text references files on delete restrict,
  attempt smallint not null default 0,
  failures smallint not null default 0,
  -- Attempts up to this one count no more: a person has asked to try again after it.
  retried_after smallint not null default 0,
  -- The lease: which process runs it, until when, and the fencing number of this claim.
  lease_node_id uuid references server_nodes on delete set null,
  lease_until timestamptz,
  lease_epoch integer not null default 0,
  cancel_asked_at timestamptz,
  failure_class_id smallint references failure_class on delete restrict,
  error text,
  idempotency_key text,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  constraint running_has_lease check ((status_id = 4) = (lease_until is not null)),
  constraint final_is_finished check ((status_id in (5, 6, 7)) = (finished_at is not null)),
  constraint done_has_output check (status_id <> 5 or output is not null),
  constraint failed_has_reason check (status_id <> 6 or failure_class_id is not null),
  constraint has_one_subject check (num_nonnulls(seed_id, take_id, cut_id, master_id, file_hash) <= 1)
);
comment on table jobs is 'job_status: 1 blocked, 2 queued, 3 held, 4 running, 5 done, 6 failed, 7 cancelled';
create index jobs_ready on jobs (lane_id, order_key, id) where status_id = 2;
-- Not on lease_until: it is moved every few seconds, and without an index on it that touches no index at all.
create index jobs_running on jobs (lane_id, order_key) where status_id = 4;
create index jobs_to_cancel on jobs (cancel_asked_at) where cancel_asked_at is not null and status_id < 5;
create index jobs_by_status on jobs (status_id, id desc);
create index on jobs (kind_id);
create index on jobs (project_id, id desc);
create index jobs_of_user on jobs (user_id, id desc);
-- Work that was called off is not held against its user.
create index jobs_last_share on jobs (lane_id, user_id, fair_end) where status_id <> 7;
create index jobs_lane_share on jobs (lane_id, fair_end);
create index on jobs (workflow_version_id) where workflow_version_id is not null;
create index on jobs (worker_id) where worker_id is not null;
create index on jobs (seed_id) where seed_id is not null;
create index on jobs (take_id) where take_id is not null;
create index on jobs (cut_id) where cut_id is not null;
create index on jobs (master_id) where master_id is not null;
create index on jobs (file_hash) where file_hash is not null;
create index on jobs (lease_node_id) where lease_node_id is not null;
create index on jobs (failure_class_id) where failure_class_id is not null;
create unique index jobs_submitted_once on jobs (user_id, idempotency_key) nulls not distinct
  where idempotency_key is not null;
alter table jobs set (fillfactor = 85);
select guard_status('jobs', 'job_status');

create function announce_ready_jobs() returns trigger language plpgsql as $$
begin
  -- No payload, so that a thousand in one transaction are one notification.
  if exists (select 1 from inserted where status_id = 2) then
    perform pg_notify('seedloop_jobs', '');
  end if;
  return null;
end $$;
create trigger new_jobs_are_announced after insert on jobs
  referencing new table as inserted for each statement execute function announce_ready_jobs();

create table job_dependencies (
  job_id uuid not null references jobs on delete cascade,
  needs_job_id uuid not null references jobs on delete restrict,
  primary key (job_id, needs_job_id),
  constraint needs_another check (job_id <> needs_job_id)
);
create index on job_dependencies (needs_job_id);

create table job_attempts (
  id uuid primary key,
  job_id uuid not null references jobs on delete cascade,
  number smallint not null,
  worker_id uuid references workers on delete set null,
  node_id uuid references server_nodes on delete set null,
  started_at timestamptz not null default now(),
  finished_at timestamptz,
  outcome_id smallint references attempt_outcome on delete restrict,
  failure_class_id smallint references failure_class on delete restrict,
  error text,
  -- Whether a failure was taken off the job's retry budget.
  is_counted boolean not null default false,
  unique (job_id, number),
  constraint finished_has_outcome check ((finished_at is null) = (outcome_id is null))
);
comment on column job_attempts.id is 'Also the prompt id under which a generation attempt is submitted';
create index on job_attempts (worker_id) where worker_id is not null;
create index on job_attempts (node_id) where node_id is not null;
create index on job_attempts (outcome_id);
create index on job_attempts (failure_class_id) where failure_class_id is not null;

create table job_log_lines (
  id bigint generated always as identity primary key,
  job_id uuid not null references jobs on delete cascade,
  at timestamptz not null default now(),
  level_id smallint not null references log_level on delete restrict,
  message text not null,
  fields jsonb not null default '{}'
);
create index on job_log_lines (job_id, id);
create index on job_log_lines (level_id);

-- Hot and worthless after a crash, so unlogged and away from the jobs row.
create unlogged table job_progress (
  job_id uuid primary key,
  ratio real not null check (ratio between 0 and 1),
  note text not null default '',
  updated_at timestamptz not null default now()
);

-- What share of a lane a user gets beside the others; 1 where there is no row.
create table fair_shares (
  lane_id smallint not null references lane on delete cascade,
  user_id uuid not null references users on delete cascade,
  weight real not null check (weight between 0.01 and 100),
  primary key (lane_id, user_id)
);
create index on fair_shares (user_id);

create table queue_pauses (
  id uuid primary key,
  lane_id smallint references lane on delete cascade,
  user_id uuid references users on delete cascade,
  worker_id uuid references workers on delete cascade,
  paused_by_id uuid references users on delete set null,
  paused_at timestamptz not null default now(),
  constraint pauses_one_thing check (num_nonnulls(lane_id, user_id, worker_id) = 1)
);
create unique index on queue_pauses (lane_id) where lane_id is not null;
create unique index on queue_pauses (user_id) where user_id is not null;
create unique index on queue_pauses (worker_id) where worker_id is not null;
create index on queue_pauses (paused_by_id);

-- How long each kind of work took lately, for ETA: by kind alone, by kind and workflow, and with the worker too.
create table job_durations (
  kind_id smallint not null references job_kind on delete cascade,
  workflow_version_id uuid references workflow_versions on delete cascade,
  worker_id uuid references workers on delete cascade,
  runs integer not null,
  -- The last 40 run times; those of jobs with a known size also per megapixel-frame.
  recent_ms real[] not null,
  recent_ms_per_work real[] not null default '{}',
  median_ms real not null,
  median_ms_per_work real,
  updated_at timestamptz not null default now(),
  unique nulls not distinct (kind_id, workflow_version_id, worker_id)
);
create index on job_durations (workflow_version_id);
create index on job_durations (worker_id);

-- Provenance of each generated asset (SPEC rule 5): enough to make it again.
create table provenance (
  asset_id uuid primary key references assets on delete cascade,
  job_id uuid references jobs on delete set null,
  workflow_version_id uuid references workflow_versions on delete restrict,
  worker_id uuid references workers on delete set null,
  software text not null,
  software_version text not null,
  random_seed bigint,
  -- The exact graph sent and the parameters bound: ComfyUI's document and the pipeline's.
  graph jsonb,
  parameters jsonb not null default '{}',
  timings jsonb not null default '{}',
  created_at timestamptz not null default now()
);
create index on provenance (job_id);
create index on provenance (workflow_version_id);
create index on provenance (worker_id);

create table provenance_inputs (
  asset_id uuid not null references provenance on delete cascade,
  file_hash text not null references files on delete restrict,
  parameter text not null,
  primary key (asset_id, parameter)
);
create index on provenance_inputs (file_hash);
