-- The generic parts: what a lookup is, and the one trigger that guards every status.

create function create_lookup(name text) returns void language plpgsql as $$
begin
  execute format(
    'create table %I (
       id smallint primary key,
       code text not null unique check (code ~ ''^[a-z0-9][a-z0-9_.:/+-]*$''),
       label text not null,
       sort smallint not null default 0,
       retired_at timestamptz
     )', name);
end $$;

create function create_status(name text) returns void language plpgsql as $$
begin
  perform create_lookup(name);
  execute format(
    'create table %1$I (
       from_id smallint not null references %2$I on delete restrict,
       to_id smallint not null references %2$I on delete restrict,
       primary key (from_id, to_id)
     )', name || '_transition', name);
  execute format('create index on %I (to_id)', name || '_transition');
end $$;

-- guard_status('jobs', 'job_status'): refuses a change of status_id that is no row of job_status_transition.
-- The trigger's function is written out for each table: its plan is then kept, which makes it five times as fast.
create function guard_status(table_name text, status_table text) returns void language plpgsql as $$
begin
  execute format(
    'create function %1$I() returns trigger language plpgsql as $guard$
     declare
       from_code text;
       to_code text;
     begin
       if exists (select 1 from %2$I where from_id = old.status_id and to_id = new.status_id) then return new; end if;
       select f.code, t.code into from_code, to_code
         from %3$I f, %3$I t where f.id = old.status_id and t.id = new.status_id;
       raise exception ''Cannot change %% from "%%" to "%%"'', tg_table_name, from_code, to_code
         using errcode = ''check_violation'', constraint = %2$L, table = tg_table_name;
     end $guard$',
    'enforce_' || status_table || '_transition', status_table || '_transition', status_table);
  execute format(
    'create trigger %I before update of status_id on %I for each row
       when (old.status_id is distinct from new.status_id) execute function %I()',
    status_table || '_changes', table_name, 'enforce_' || status_table || '_transition');
end $$;

select create_lookup(name) from unnest(array[
  'role', 'permission', 'token_scope', 'one_time_link_kind', 'revoke_reason', 'audit_action', 'subject_kind',
  'event_kind', 'media_kind', 'asset_kind', 'retention_class', 'hash_algorithm', 'derivative_kind',
  'seed_kind', 'seed_origin', 'workflow_role', 'workflow_source', 'worker_kind', 'lane', 'failure_class',
  'attempt_outcome', 'log_level', 'conform_rule', 'seam_verdict', 'gate_verdict', 'decision_kind',
  'assembly_method', 'document_kind', 'delivery_file_kind', 'setting_kind'
]) as name;

select create_status(name) from unnest(array[
  'user_status', 'project_status', 'character_status', 'seed_status', 'scene_status', 'clip_status',
  'segment_status', 'take_status', 'cut_status', 'master_status', 'delivery_status', 'job_status',
  'worker_status', 'workflow_status'
]) as name;

create table role_permission (
  role_id smallint not null references role on delete restrict,
  permission_id smallint not null references permission on delete cascade,
  primary key (role_id, permission_id)
);
create index on role_permission (permission_id);

create table token_scope_permission (
  scope_id smallint not null references token_scope on delete cascade,
  permission_id smallint not null references permission on delete cascade,
  primary key (scope_id, permission_id)
);
create index on token_scope_permission (permission_id);

create table media_type (
  id smallint primary key,
  code text not null unique,
  label text not null,
  sort smallint not null default 0,
  retired_at timestamptz,
  kind_id smallint not null references media_kind on delete restrict,
  extension text not null
);
create index on media_type (kind_id);

create table job_kind (
  id smallint primary key,
  code text not null unique,
  label text not null,
  sort smallint not null default 0,
  retired_at timestamptz,
  lane_id smallint not null references lane on delete restrict,
  max_attempts smallint not null default 3 check (max_attempts between 1 and 20)
);
create index on job_kind (lane_id);

comment on column failure_class.code is 'FailureClass of workers/kit/handle.ts';
alter table failure_class add column retries smallint not null default 3 check (retries between 0 and 20);
alter table failure_class add column backoff_ms integer not null default 1000 check (backoff_ms >= 0);

-- fill_lookup('role', 'admin', 'creator'): ids are the positions, so a list may only grow at its end.
create function fill_lookup(name text, variadic codes text[]) returns void language plpgsql as $$
begin
  execute format(
    'insert into %I (id, code, label, sort)
     select n, c, upper(left(replace(c, ''_'', '' ''), 1)) || substr(replace(c, ''_'', '' ''), 2), n
       from unnest($1) with ordinality as list (c, n)
     on conflict (id) do update set code = excluded.code, sort = excluded.sort', name) using codes;
end $$;

-- allow_changes('job_status', 'queued', 'running', 'held'): from "queued" to each of the others.
create function allow_changes(name text, from_code text, variadic to_codes text[]) returns void language plpgsql as $$
begin
  execute format(
    'insert into %1$I (from_id, to_id)
     select f.id, t.id from %2$I f join %2$I t on t.code = any($2) where f.code = $1
     on conflict do nothing', name || '_transition', name) using from_code, to_codes;
end $$;
