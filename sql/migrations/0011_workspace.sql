-- What people's screens look like (PRD-03): named workspaces of documents, each with the states that lost a conflict.

create table workspaces (
  id uuid primary key,
  user_id uuid not null references users on delete cascade,
  name text not null check (name = btrim(name) and length(name) between 1 and 120),
  -- Counts the savings; a document carries the number of its last one.
  revision bigint not null default 0,
  created_at timestamptz not null default now(),
  used_at timestamptz not null default now(),
  removed_at timestamptz
);
create index on workspaces (user_id);
create unique index workspace_names_are_unique on workspaces (user_id, lower(name)) where removed_at is null;

create table workspace_documents (
  workspace_id uuid not null references workspaces on delete cascade,
  name text not null check (name ~ '^[a-z0-9][a-zA-Z0-9_.:/-]{0,199}$'),
  revision bigint not null check (revision > 0),
  -- The edit that made it what it is, named by its client: a repeated saving is known by it.
  edit_id uuid not null,
  edited_at timestamptz not null,
  saved_at timestamptz not null default now(),
  content text not null,
  size_bytes integer not null generated always as (octet_length(content)) stored,
  primary key (workspace_id, name)
);
comment on column workspace_documents.content is 'JSON text in the client''s own form, kept to the letter; nothing here reads it';

create table workspace_branches (
  -- The edit that lost, or that was kept on purpose.
  id uuid primary key,
  workspace_id uuid not null references workspaces on delete cascade,
  document_name text not null,
  edited_at timestamptz not null,
  kept_at timestamptz not null default now(),
  content text not null,
  size_bytes integer not null generated always as (octet_length(content)) stored
);
create index on workspace_branches (workspace_id, document_name, edited_at desc);
