create table characters (
  id uuid primary key,
  project_id uuid not null references projects on delete restrict,
  name text not null check (name = btrim(name) and length(name) between 1 and 120),
  description text not null default '',
  status_id smallint not null references character_status on delete restrict,
  created_by_id uuid references users on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (project_id, name),
  unique (id, project_id)
);
create index on characters (status_id);
create index on characters (created_by_id);
select guard_status('characters', 'character_status');

create table variation_batches (
  id uuid primary key,
  project_id uuid not null references projects on delete restrict,
  character_id uuid not null references characters on delete restrict,
  portrait_seed_id uuid not null,
  workflow_version_id uuid not null references workflow_versions on delete restrict,
  base_random_seed bigint not null check (base_random_seed between 0 and 9007199254740991),
  asked_count smallint not null check (asked_count between 1 and 64),
  prompt text not null default '',
  created_by_id uuid references users on delete set null,
  created_at timestamptz not null default now()
);
create index on variation_batches (project_id);
create index on variation_batches (character_id);
create index on variation_batches (portrait_seed_id);
create index on variation_batches (workflow_version_id);
create index on variation_batches (created_by_id);

create table seeds (
  id uuid primary key,
  project_id uuid not null references projects on delete restrict,
  character_id uuid not null,
  kind_id smallint not null references seed_kind on delete restrict,
  origin_id smallint not null references seed_origin on delete restrict,
  status_id smallint not null references seed_status on delete restrict,
  asset_id uuid references assets on delete restrict,
  derived_from_seed_id uuid references seeds on delete restrict,
  -- What it takes the place of once it has been found good.
  replaces_seed_id uuid references seeds on delete restrict,
  batch_id uuid references variation_batches on delete restrict,
  random_seed bigint check (random_seed between 0 and 9007199254740991),
  rating smallint check (rating between 1 and 5),
  failure text,
  -- Since when what it was made from has been replaced; shown as stale, never deleted.
  stale_at timestamptz,
  created_by_id uuid references users on delete set null,
  created_at timestamptz not null default now(),
  foreign key (character_id, project_id) references characters (id, project_id) on delete restrict,
  constraint made_has_asset check (status_id in (1, 6, 7) or asset_id is not null),
  constraint derived_has_source check (origin_id = 1 or derived_from_seed_id is not null)
);
comment on constraint made_has_asset on seeds is 'seed_status 1 making, 6 failed, 7 cancelled';
comment on constraint derived_has_source on seeds is 'seed_origin 1 given';
create index seeds_of_character on seeds (character_id, project_id, id desc);
create index on seeds (project_id);
create index on seeds (kind_id);
create index on seeds (origin_id);
create index on seeds (status_id);
create index on seeds (asset_id);
create index on seeds (derived_from_seed_id);
create index on seeds (replaces_seed_id);
create index on seeds (batch_id);
create index on seeds (created_by_id);
create unique index one_hero_per_batch on seeds (batch_id) where status_id = 5;
select guard_status('seeds', 'seed_status');

alter table variation_batches add foreign key (portrait_seed_id) references seeds on delete restrict;

create table seed_approvals (
  seed_id uuid primary key references seeds on delete restrict,
  approved_by_id uuid references users on delete set null,
  approved_at timestamptz not null default now(),
  file_hash text not null references files on delete restrict
);
create index on seed_approvals (approved_by_id);
create index on seed_approvals (file_hash);

create table seed_measures (
  seed_id uuid primary key references seeds on delete cascade,
  portrait_seed_id uuid references seeds on delete set null,
  face_model_id uuid references face_models on delete restrict,
  likeness real,
  likeness_reason text,
  sharpness real not null,
  mean_lab real[] not null check (cardinality(mean_lab) = 3),
  dhash text not null,
  measured_at timestamptz not null default now()
);
create index on seed_measures (portrait_seed_id);
create index on seed_measures (face_model_id);

create table seed_faces (
  seed_id uuid not null references seeds on delete cascade,
  index smallint not null,
  x real not null,
  y real not null,
  width real not null,
  height real not null,
  score real not null,
  eye_distance_px real not null,
  yaw_deg real not null,
  pitch_deg real not null,
  roll_deg real not null,
  eyes_open real,
  primary key (seed_id, index)
);

create table scenes (
  id uuid primary key,
  project_id uuid not null references projects on delete restrict,
  name text not null check (name = btrim(name) and length(name) between 1 and 120),
  status_id smallint not null references scene_status on delete restrict,
  position integer not null,
  created_by_id uuid references users on delete set null,
  created_at timestamptz not null default now(),
  unique (project_id, name),
  unique (id, project_id)
);
create index on scenes (status_id);
create index on scenes (created_by_id);
select guard_status('scenes', 'scene_status');

create table clips (
  id uuid primary key,
  project_id uuid not null references projects on delete restrict,
  scene_id uuid not null,
  character_id uuid not null,
  name text not null check (name = btrim(name) and length(name) between 1 and 120),
  position integer not null,
  status_id smallint not null references clip_status on delete restrict,
  portrait_seed_id uuid references seeds on delete restrict,
  hero_seed_id uuid references seeds on delete restrict,
  workflow_version_id uuid references workflow_versions on delete restrict,
  -- Asked length in frames at the project's rate.
  frames integer not null check (frames between 1 and 200000),
  prompt text not null default '',
  negative_prompt text not null default '',
  random_seed bigint not null check (random_seed between 0 and 9007199254740991),
  likeness_floor real check (likeness_floor between 0 and 1),
  reroll_limit smallint not null default 2 check (reroll_limit between 0 and 20),
  attention text,
  created_by_id uuid references users on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (scene_id, name),
  foreign key (scene_id, project_id) references scenes (id, project_id) on delete restrict,
  foreign key (character_id, project_id) references characters (id, project_id) on delete restrict
);
create index clips_of_scene on clips (scene_id, project_id, position);
create index on clips (project_id);
create index on clips (character_id, project_id);
create index on clips (status_id);
create index on clips (portrait_seed_id);
create index on clips (hero_seed_id);
create index on clips (workflow_version_id);
create index on clips (created_by_id);
select guard_status('clips', 'clip_status');

-- Values of the workflow's power knobs, by parameter name of its manifest.
create table clip_knobs (
  clip_id uuid not null references clips on delete cascade,
  parameter text not null,
  value jsonb not null,
  primary key (clip_id, parameter)
);

create table segments (
  id uuid primary key,
  clip_id uuid not null references clips on delete restrict,
  index smallint not null check (index >= 1),
  status_id smallint not null references segment_status on delete restrict,
  prompt text,
  locked_at timestamptz,
  created_at timestamptz not null default now(),
  unique (clip_id, index)
);
create index on segments (status_id);
select guard_status('segments', 'segment_status');

create table takes (
  id uuid primary key,
  segment_id uuid not null references segments on delete restrict,
  number integer not null check (number >= 1),
  status_id smallint not null references take_status on delete restrict,
  random_seed bigint not null check (random_seed between 0 and 9007199254740991),
  workflow_version_id uuid not null references workflow_versions on delete restrict,
  -- What it starts from: the hero, or the end frame of this take.
  starts_from_take_id uuid references takes on delete restrict,
  start_file_hash text not null references files on delete restrict,
  rate_num integer not null check (rate_num > 0),
  rate_den integer not null check (rate_den > 0),
  generate_frames integer not null check (generate_frames > 0),
  drop_head smallint not null check (drop_head >= 0),
  target_end integer not null check (target_end >= 0),
  end_window integer not null check (end_window >= 0),
  is_end_exact boolean not null,
  raw_asset_id uuid references assets on delete restrict,
  intermediate_asset_id uuid references assets on delete restrict,
  end_image_asset_id uuid references assets on delete restrict,
  width_px integer,
  height_px integer,
  frame_count integer,
  -- Kept are frames 0…end_frame of the intermediate.
  end_frame integer,
  end_score real,
  stability real,
  gate_verdict_id smallint references gate_verdict on delete restrict,
  gate_reasons text[] not null default '{}',
  failure text,
  chosen_at timestamptz,
  stale_at timestamptz,
  created_by_id uuid references users on delete set null,
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  unique (segment_id, number),
  constraint ready_is_whole check (
    status_id <> 4 or (intermediate_asset_id is not null and end_frame is not null and frame_count is not null
      and end_image_asset_id is not null)),
  constraint chosen_is_ready check (chosen_at is null or status_id = 4),
  constraint end_is_inside check (end_frame is null or end_frame between 0 and frame_count - 1)
);
comment on constraint ready_is_whole on takes is 'take_status 4 ready';
create unique index one_chosen_take on takes (segment_id) where chosen_at is not null;
create unique index one_open_take on takes (segment_id) where status_id in (1, 2, 3);
comment on index one_open_take is 'take_status 1 generating, 2 ingesting, 3 measuring';
create index on takes (status_id);
create index on takes (workflow_version_id);
create index on takes (starts_from_take_id);
create index on takes (start_file_hash);
create index on takes (raw_asset_id);
create index on takes (intermediate_asset_id);
create index on takes (end_image_asset_id);
create index on takes (gate_verdict_id);
create index on takes (created_by_id);
select guard_status('takes', 'take_status');

-- PRD-16: no clip starts generating before its hero is chosen and approved.
create function refuse_take_without_hero() returns trigger language plpgsql as $$
declare
  hero_is_approved boolean;
begin
  -- Held until the end, so that the hero can't be let go of meanwhile.
  perform 1
     from segments g join clips c on c.id = g.clip_id join seeds s on s.id = c.hero_seed_id
    where g.id = new.segment_id
      for share of s;
  select s.status_id = 5 and a.seed_id is not null
    into hero_is_approved
    from segments g
    join clips c on c.id = g.clip_id
    left join seeds s on s.id = c.hero_seed_id
    left join seed_approvals a on a.seed_id = s.id
   where g.id = new.segment_id;
  if hero_is_approved is not true then
    raise exception 'Cannot generate video: the clip has no approved hero. Choose a hero foundation and approve it first'
      using errcode = 'check_violation', constraint = 'take_needs_hero', table = 'takes';
  end if;
  return new;
end $$;
create trigger take_needs_hero before insert on takes for each row execute function refuse_take_without_hero();

create table take_curves (
  take_id uuid primary key references takes on delete cascade,
  motion real[] not null,
  motion2 real[] not null,
  sharpness real[] not null,
  mean_luma real[] not null,
  -- L, a, b of frame 0, then of frame 1 …
  mean_lab real[] not null,
  noise_floor real not null
);

create table take_likeness (
  take_id uuid primary key references takes on delete cascade,
  face_model_id uuid not null references face_models on delete restrict,
  median real,
  min real,
  coverage real not null check (coverage between 0 and 1)
);
create index on take_likeness (face_model_id);

create table take_likeness_points (
  take_id uuid not null references takes on delete cascade,
  frame integer not null,
  score real,
  primary key (take_id, frame)
);

create table cuts (
  id uuid primary key,
  clip_id uuid not null references clips on delete restrict,
  number integer not null check (number >= 1),
  status_id smallint not null references cut_status on delete restrict,
  rate_num integer not null check (rate_num > 0),
  rate_den integer not null check (rate_den > 0),
  width_px integer not null,
  height_px integer not null,
  frames integer not null check (frames > 0),
  conform_rule_id smallint not null references conform_rule on delete restrict,
  asset_id uuid references assets on delete restrict,
  intermediate_asset_id uuid references assets on delete restrict,
  failure text,
  created_by_id uuid references users on delete set null,
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  unique (clip_id, number),
  constraint made_has_file check (status_id in (1, 2, 7) or (asset_id is not null and intermediate_asset_id is not null))
);
comment on constraint made_has_file on cuts is 'cut_status 1 stitching, 2 measuring, 7 failed';
create unique index one_final_cut on cuts (clip_id) where status_id = 5;
create index on cuts (status_id);
create index on cuts (conform_rule_id);
create index on cuts (asset_id);
create index on cuts (intermediate_asset_id);
create index on cuts (created_by_id);
select guard_status('cuts', 'cut_status');

create table cut_parts (
  cut_id uuid not null references cuts on delete cascade,
  index smallint not null,
  take_id uuid not null references takes on delete restrict,
  source_first_frame integer not null,
  source_frame_count integer not null check (source_frame_count > 0),
  first_frame integer,
  primary key (cut_id, index)
);
create index on cut_parts (take_id);

create table cut_seams (
  cut_id uuid not null references cuts on delete cascade,
  frame integer not null,
  jump real not null,
  reversal real,
  color_step real not null,
  luma_step real not null,
  sharpness_ratio real not null,
  verdict_id smallint not null references seam_verdict on delete restrict,
  reasons text[] not null default '{}',
  primary key (cut_id, frame)
);
create index on cut_seams (verdict_id);

create table cut_likeness (
  cut_id uuid primary key references cuts on delete cascade,
  face_model_id uuid not null references face_models on delete restrict,
  median real,
  min real,
  coverage real not null check (coverage between 0 and 1)
);
create index on cut_likeness (face_model_id);

create table cut_likeness_points (
  cut_id uuid not null references cuts on delete cascade,
  frame integer not null,
  score real,
  primary key (cut_id, frame)
);

create table cut_curves (
  cut_id uuid primary key references cuts on delete cascade,
  motion real[] not null,
  sharpness real[] not null,
  mean_luma real[] not null,
  noise_floor real not null
);

-- Who decided what about which exact file.
create table decisions (
  id uuid primary key,
  cut_id uuid not null references cuts on delete restrict,
  kind_id smallint not null references decision_kind on delete restrict,
  file_hash text not null references files on delete restrict,
  decided_by_id uuid references users on delete set null,
  decided_at timestamptz not null default now(),
  note text not null default '',
  undone_at timestamptz
);
create index on decisions (cut_id, decided_at);
create index on decisions (kind_id);
create index on decisions (file_hash);
create index on decisions (decided_by_id);

create table masters (
  id uuid primary key,
  scene_id uuid not null references scenes on delete restrict,
  number integer not null check (number >= 1),
  status_id smallint not null references master_status on delete restrict,
  rate_num integer not null check (rate_num > 0),
  rate_den integer not null check (rate_den > 0),
  width_px integer not null,
  height_px integer not null,
  frames integer not null check (frames > 0),
  method_id smallint references assembly_method on delete restrict,
  asset_id uuid references assets on delete restrict,
  failure text,
  created_by_id uuid references users on delete set null,
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  unique (scene_id, number),
  constraint ready_has_file check (status_id <> 2 or (asset_id is not null and method_id is not null))
);
comment on constraint ready_has_file on masters is 'master_status 2 ready';
create index on masters (status_id);
create index on masters (method_id);
create index on masters (asset_id);
create index on masters (created_by_id);
select guard_status('masters', 'master_status');

create table master_items (
  master_id uuid not null references masters on delete cascade,
  position smallint not null,
  cut_id uuid not null references cuts on delete restrict,
  first_frame integer not null,
  frame_count integer not null check (frame_count > 0),
  primary key (master_id, position)
);
create index on master_items (cut_id);

-- Versions of character_metadata.json and video_metadata.json (PRD-08); old ones stay.
create table documents (
  id uuid primary key,
  kind_id smallint not null references document_kind on delete restrict,
  character_id uuid references characters on delete restrict,
  cut_id uuid references cuts on delete restrict,
  version integer not null check (version >= 1),
  schema_version text not null,
  asset_id uuid not null references assets on delete restrict,
  created_at timestamptz not null default now(),
  constraint has_one_subject check (num_nonnulls(character_id, cut_id) = 1),
  unique (character_id, version),
  unique (cut_id, version)
);
create index on documents (kind_id);
create index on documents (asset_id);

create table deliveries (
  id uuid primary key,
  scene_id uuid not null references scenes on delete restrict,
  master_id uuid not null references masters on delete restrict,
  number integer not null check (number >= 1),
  status_id smallint not null references delivery_status on delete restrict,
  created_by_id uuid references users on delete set null,
  created_at timestamptz not null default now(),
  unique (scene_id, number)
);
create index on deliveries (master_id);
create index on deliveries (status_id);
create index on deliveries (created_by_id);
select guard_status('deliveries', 'delivery_status');

create table delivery_files (
  delivery_id uuid not null references deliveries on delete restrict,
  name text not null check (name ~ '^[A-Za-z0-9_.-]+$'),
  kind_id smallint not null references delivery_file_kind on delete restrict,
  asset_id uuid not null references assets on delete restrict,
  primary key (delivery_id, name)
);
create index on delivery_files (kind_id);
create index on delivery_files (asset_id);
