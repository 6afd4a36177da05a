-- The watch-dog of workers: what is done to one that hangs, how it is started, what guards it, its vitals, and what it
-- was made of when it was last looked at.
select create_lookup(name) from unnest(array[
  'worker_order_kind', 'worker_order_outcome', 'worker_command_kind', 'worker_change_kind'
]) as name;
-- What a column below defaults to; sql/lookups repeats it and goes on.
select fill_lookup('worker_order_kind', 'interrupt', 'free', 'restart', 'kill', 'start', 'stop');

alter table workers
  -- The highest rung of the ladder that the watch-dog takes by itself; above it, it only offers. Null: it only offers.
  add column watch_up_to_id smallint default 4 references worker_order_kind on delete restrict
    check (watch_up_to_id between 1 and 4),
  add column pause_at_celsius smallint check (pause_at_celsius between 30 and 120),
  add column resume_at_celsius smallint,
  add column min_free_vram_bytes bigint check (min_free_vram_bytes > 0),
  -- ComfyUI-Manager, when it has it: only that can start a ComfyUI anew over HTTP.
  add column manager text,
  add constraint cools_down check (
    (pause_at_celsius is null) = (resume_at_celsius is null) and resume_at_celsius < pause_at_celsius);
create index on workers (watch_up_to_id);

-- A command that this studio runs on its own machine: never a line for a shell.
create table worker_commands (
  worker_id uuid not null references workers on delete cascade,
  kind_id smallint not null references worker_command_kind on delete restrict,
  host text not null check (length(host) between 1 and 255),
  args text[] not null check (cardinality(args) between 1 and 200),
  folder text check (length(folder) between 1 and 4096),
  -- NAME=value, as a process gets them.
  environment text[] not null default '{}' check (cardinality(environment) <= 100),
  -- Of a start command: whether the worker is to run. A stopped one stays stopped over a restart of the studio.
  is_wanted boolean not null default true,
  changed_at timestamptz not null default now(),
  primary key (worker_id, kind_id)
);
create index on worker_commands (kind_id);
comment on column worker_commands.host is 'The machine that the command is for: a studio on another does not run it';

-- What was or is to be done to a worker, by the watch-dog (nobody asked) or a person.
create table worker_orders (
  id uuid primary key,
  worker_id uuid not null references workers on delete cascade,
  kind_id smallint not null references worker_order_kind on delete restrict,
  asked_by_id uuid references users on delete set null,
  asked_at timestamptz not null default now(),
  reason text not null,
  begun_at timestamptz,
  ended_at timestamptz,
  outcome_id smallint references worker_order_outcome on delete restrict,
  note text,
  constraint ended_has_outcome check ((ended_at is null) = (outcome_id is null))
);
create index on worker_orders (worker_id, asked_at);
create index on worker_orders (kind_id);
create index on worker_orders (asked_by_id);
create index on worker_orders (outcome_id);
create index worker_orders_open on worker_orders (worker_id) where ended_at is null;

-- How long a healthy run of a workflow is silent on a worker at most: between two steps of one node, and else.
create table worker_paces (
  worker_id uuid not null references workers on delete cascade,
  workflow_version_id uuid not null references workflow_versions on delete cascade,
  step_ms real[] not null,
  rest_ms real[] not null,
  primary key (worker_id, workflow_version_id)
);
create index on worker_paces (workflow_version_id);

-- Vitals, one row a minute. Null is "no data".
create table worker_vitals (
  worker_id uuid not null references workers on delete cascade,
  at timestamptz not null,
  gpu_percent real,
  vram_used_bytes bigint,
  vram_total_bytes bigint,
  celsius real,
  watts real,
  fan_percent real,
  clock_mhz real,
  ram_used_bytes bigint,
  ram_total_bytes bigint,
  queued real,
  primary key (worker_id, at)
);
create table host_vitals (
  host text not null,
  at timestamptz not null,
  cpu_percent real,
  memory_used_bytes bigint,
  memory_total_bytes bigint,
  disk_used_bytes bigint,
  disk_total_bytes bigint,
  received_bytes_per_second real,
  sent_bytes_per_second real,
  primary key (host, at)
);

-- What a worker was made of when it was last looked at, and what had changed since the time before.
create table worker_nodes (
  worker_id uuid not null references workers on delete cascade,
  class_name text not null,
  digest text not null,
  primary key (worker_id, class_name)
);
create table worker_models (
  worker_id uuid not null references workers on delete cascade,
  folder text not null,
  name text not null,
  size_bytes bigint,
  primary key (worker_id, folder, name)
);
create table worker_devices (
  worker_id uuid not null references workers on delete cascade,
  position smallint not null,
  name text not null,
  vram_total_bytes bigint,
  primary key (worker_id, position)
);
create table worker_changes (
  id uuid primary key,
  worker_id uuid not null references workers on delete cascade,
  at timestamptz not null default now(),
  version_before text,
  version_after text
);
create index on worker_changes (worker_id, at);
create table worker_change_items (
  change_id uuid not null references worker_changes on delete cascade,
  kind_id smallint not null references worker_change_kind on delete restrict,
  name text not null,
  primary key (change_id, kind_id, name)
);
create index on worker_change_items (kind_id);
