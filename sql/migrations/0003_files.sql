-- A file is its content; an asset is a file in its role within the studio.
create table files (
  hash text primary key check (hash ~ '^[0-9a-f]{64}$'),
  hash_algorithm_id smallint not null default 1 references hash_algorithm on delete restrict,
  size_bytes bigint not null check (size_bytes >= 0),
  media_type_id smallint not null references media_type on delete restrict,
  created_at timestamptz not null default now()
);
create index on files (hash_algorithm_id);
create index on files (media_type_id);

create table media_facts (
  file_hash text primary key references files on delete cascade,
  container text not null,
  codec text,
  width_px integer,
  height_px integer,
  rotation_deg smallint,
  pixel_format text,
  bit_depth smallint,
  has_alpha boolean,
  rate_num integer,
  rate_den integer,
  is_constant_rate boolean,
  frame_count integer,
  duration_us bigint,
  color_primaries text,
  color_transfer text,
  color_matrix text,
  color_range text,
  has_audio boolean,
  constraint rate_is_whole check ((rate_num is null) = (rate_den is null))
);

-- What was computed from a file and can be computed again: thumbnail, proxy, working image …
create table derivatives (
  source_hash text not null references files on delete cascade,
  kind_id smallint not null references derivative_kind on delete restrict,
  file_hash text not null references files on delete restrict,
  layout jsonb,
  created_at timestamptz not null default now(),
  primary key (source_hash, kind_id)
);
create index on derivatives (kind_id);
create index on derivatives (file_hash);

create table assets (
  id uuid primary key,
  project_id uuid references projects on delete restrict,
  file_hash text not null references files on delete restrict,
  kind_id smallint not null references asset_kind on delete restrict,
  retention_class_id smallint not null references retention_class on delete restrict,
  name text not null check (length(name) between 1 and 255),
  created_by_id uuid references users on delete set null,
  created_at timestamptz not null default now()
);
create index assets_of_project on assets (project_id, id desc);
create index on assets (file_hash);
create index on assets (kind_id, id desc);
create index on assets (retention_class_id);
create index on assets (created_by_id);

create function refuse_protected_delete() returns trigger language plpgsql as $$
begin
  if old.retention_class_id = 1 then
    raise exception 'Cannot delete the asset "%": it is protected (seed, hero, final cut, master or delivery)', old.name
      using errcode = 'restrict_violation', constraint = 'protected_is_kept', table = 'assets';
  end if;
  return old;
end $$;
comment on function refuse_protected_delete is 'retention_class 1 is "protected": SPEC rule 4';
create trigger protected_is_kept before delete on assets for each row execute function refuse_protected_delete();
