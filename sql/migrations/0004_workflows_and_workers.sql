create table workflows (
  id uuid primary key,
  code text not null unique check (code ~ '^[a-z0-9][a-z0-9_.-]*$'),
  title text not null,
  role_id smallint not null references workflow_role on delete restrict,
  source_id smallint not null references workflow_source on delete restrict,
  status_id smallint not null references workflow_status on delete restrict,
  created_at timestamptz not null default now()
);
create index on workflows (role_id);
create index on workflows (source_id);
create index on workflows (status_id);
select guard_status('workflows', 'workflow_status');

create table workflow_versions (
  id uuid primary key,
  workflow_id uuid not null references workflows on delete restrict,
  number integer not null check (number > 0),
  -- ComfyUI's own document and the manifest that binds it; kept word for word.
  graph jsonb not null,
  manifest jsonb not null,
  content_hash text not null,
  created_by_id uuid references users on delete set null,
  created_at timestamptz not null default now(),
  unique (workflow_id, number),
  unique (workflow_id, content_hash)
);
create index on workflow_versions (created_by_id);

create table workers (
  id uuid primary key,
  name text not null unique check (length(name) between 1 and 80),
  kind_id smallint not null references worker_kind on delete restrict,
  status_id smallint not null references worker_status on delete restrict,
  url text not null,
  software text,
  version text,
  -- The server process that drives it now; another takes over when its heartbeat stops.
  owner_node_id uuid references server_nodes on delete set null,
  last_seen_at timestamptz,
  last_error text,
  capability_hash text,
  max_parallel smallint not null default 1 check (max_parallel between 1 and 8),
  created_by_id uuid references users on delete set null,
  created_at timestamptz not null default now()
);
create index on workers (kind_id);
create index on workers (status_id);
create index on workers (owner_node_id);
create index on workers (created_by_id);
select guard_status('workers', 'worker_status');

-- Can this worker run this workflow? Missing nodes, models and values are listed all at once.
create table worker_capabilities (
  worker_id uuid not null references workers on delete cascade,
  workflow_version_id uuid not null references workflow_versions on delete cascade,
  is_able boolean not null,
  missing text[] not null default '{}',
  checked_at timestamptz not null default now(),
  primary key (worker_id, workflow_version_id)
);
create index on worker_capabilities (workflow_version_id);

-- The model behind a face score: scores of different models are never compared.
create table face_models (
  id uuid primary key,
  name text not null,
  hash text not null,
  metric text not null,
  unique (name, hash)
);
