create table users (
  id uuid primary key,
  login text not null check (login = btrim(login) and length(login) between 1 and 120),
  display_name text not null check (length(display_name) between 1 and 120),
  password_hash text,
  role_id smallint not null references role on delete restrict,
  status_id smallint not null references user_status on delete restrict,
  -- Raised to end every session and token of the user at once.
  token_version integer not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create unique index users_login_is_unique on users (lower(login));
create index on users (role_id);
create index on users (status_id);
select guard_status('users', 'user_status');

create table one_time_links (
  id uuid primary key,
  kind_id smallint not null references one_time_link_kind on delete restrict,
  token_hash text not null unique,
  user_id uuid references users on delete cascade,
  role_id smallint references role on delete restrict,
  created_by_id uuid references users on delete set null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  used_at timestamptz
);
create index on one_time_links (kind_id);
create index on one_time_links (user_id);
create index on one_time_links (role_id);
create index on one_time_links (created_by_id);

create table sessions (
  id uuid primary key,
  user_id uuid not null references users on delete cascade,
  created_at timestamptz not null default now(),
  last_used_at timestamptz not null default now(),
  expires_at timestamptz not null,
  revoked_at timestamptz,
  revoke_reason_id smallint references revoke_reason on delete restrict,
  ip inet,
  user_agent text,
  constraint revoked_has_reason check ((revoked_at is null) = (revoke_reason_id is null))
);
create index on sessions (user_id, revoked_at);
create index on sessions (revoke_reason_id);

-- One row per rotation; the family is the session. A used token that comes again revokes the session.
create table refresh_tokens (
  id uuid primary key,
  session_id uuid not null references sessions on delete cascade,
  token_hash text not null unique,
  issued_at timestamptz not null default now(),
  used_at timestamptz
);
create index on refresh_tokens (session_id);
create unique index one_live_refresh_token on refresh_tokens (session_id) where used_at is null;

create table api_tokens (
  id uuid primary key,
  user_id uuid not null references users on delete cascade,
  name text not null check (length(name) between 1 and 120),
  token_hash text not null unique,
  -- The first characters, so that people recognise it in a list.
  prefix text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz
);
create index on api_tokens (user_id);

create table api_token_scopes (
  token_id uuid not null references api_tokens on delete cascade,
  scope_id smallint not null references token_scope on delete restrict,
  primary key (token_id, scope_id)
);
create index on api_token_scopes (scope_id);

create table login_throttles (
  -- sha256 of "login|ip" or of "ip": what is throttled, without keeping who tried.
  key text primary key,
  failures integer not null default 0,
  blocked_until timestamptz,
  updated_at timestamptz not null default now()
);

create table signing_keys (
  id uuid primary key,
  secret text not null,
  created_at timestamptz not null default now(),
  retired_at timestamptz
);
comment on table signing_keys is 'HS256 keys of access tokens; kid is the id. The newest not retired signs, the others still verify.';

create table server_nodes (
  id uuid primary key,
  host text not null,
  pid integer not null,
  version text not null,
  started_at timestamptz not null default now(),
  heartbeat_at timestamptz not null default now(),
  stopped_at timestamptz
);

create table settings (
  code text primary key,
  kind_id smallint not null references setting_kind on delete restrict,
  value jsonb not null,
  updated_by_id uuid references users on delete set null,
  updated_at timestamptz not null default now()
);
create index on settings (kind_id);
create index on settings (updated_by_id);

create table projects (
  id uuid primary key,
  name text not null check (name = btrim(name) and length(name) between 1 and 120),
  status_id smallint not null references project_status on delete restrict,
  rate_num integer not null check (rate_num between 1 and 1000000),
  rate_den integer not null check (rate_den between 1 and 1000000),
  width_px integer not null check (width_px between 64 and 8192 and width_px % 2 = 0),
  height_px integer not null check (height_px between 64 and 8192 and height_px % 2 = 0),
  start_frame integer not null default 86400 check (start_frame >= 0),
  created_by_id uuid references users on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
comment on column projects.start_frame is 'Timecode of the first frame as a frame count at the project''s rate; 01:00:00:00 at 24';
create index on projects (status_id);
create index on projects (created_by_id);
select guard_status('projects', 'project_status');

create table project_members (
  project_id uuid not null references projects on delete cascade,
  user_id uuid not null references users on delete cascade,
  role_id smallint not null references role on delete restrict,
  added_by_id uuid references users on delete set null,
  added_at timestamptz not null default now(),
  primary key (project_id, user_id)
);
create index on project_members (user_id);
create index on project_members (role_id);
create index on project_members (added_by_id);

create table audit_entries (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  action_id smallint not null references audit_action on delete restrict,
  user_id uuid references users on delete set null,
  token_id uuid references api_tokens on delete set null,
  project_id uuid references projects on delete set null,
  subject_kind_id smallint references subject_kind on delete restrict,
  subject_id uuid,
  ip inet,
  request_id text,
  -- What changed, for people and for undo: a document of the action's own shape.
  facts jsonb not null default '{}'
);
create index on audit_entries (action_id);
create index on audit_entries (user_id, id desc);
create index on audit_entries (token_id);
create index on audit_entries (project_id, id desc);
create index on audit_entries (subject_kind_id);
create index audit_of_subject on audit_entries (subject_id, id desc);

create table events (
  seq bigint generated always as identity primary key,
  at timestamptz not null default now(),
  kind_id smallint not null references event_kind on delete restrict,
  topic text not null,
  project_id uuid references projects on delete cascade,
  data jsonb not null
);
create index on events (kind_id);
create index on events (topic, seq);
create index on events (project_id);

create function announce_event() returns trigger language plpgsql as $$
begin
  -- The number only: payloads are small, equal ones fold, and the row is read by whoever needs it.
  perform pg_notify('seedloop_events', (select max(seq) from inserted)::text);
  return null;
end $$;
create trigger events_are_announced after insert on events
  referencing new table as inserted for each statement execute function announce_event();
