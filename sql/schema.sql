-- Written by `deno task schema`; a test keeps it true. Read the changes here, make them in migrations/.

create table api_token_scopes (
  token_id uuid not null,
  scope_id smallint not null,
  constraint api_token_scopes_scope_id_fkey FOREIGN KEY (scope_id) REFERENCES token_scope(id) ON DELETE RESTRICT,
  constraint api_token_scopes_token_id_fkey FOREIGN KEY (token_id) REFERENCES api_tokens(id) ON DELETE CASCADE,
  constraint api_token_scopes_pkey PRIMARY KEY (token_id, scope_id)
);
CREATE INDEX api_token_scopes_scope_id_idx ON public.api_token_scopes USING btree (scope_id);

create table api_tokens (
  id uuid not null,
  user_id uuid not null,
  name text not null,
  token_hash text not null,
  prefix text not null,
  created_at timestamp with time zone default now() not null,
  expires_at timestamp with time zone,
  last_used_at timestamp with time zone,
  revoked_at timestamp with time zone,
  constraint api_tokens_name_check CHECK (((length(name) >= 1) AND (length(name) <= 120))),
  constraint api_tokens_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE,
  constraint api_tokens_pkey PRIMARY KEY (id),
  constraint api_tokens_token_hash_key UNIQUE (token_hash)
);
CREATE INDEX api_tokens_user_id_idx ON public.api_tokens USING btree (user_id);

create table assembly_method (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint assembly_method_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint assembly_method_pkey PRIMARY KEY (id),
  constraint assembly_method_code_key UNIQUE (code)
);

create table asset_kind (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint asset_kind_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint asset_kind_pkey PRIMARY KEY (id),
  constraint asset_kind_code_key UNIQUE (code)
);

create table assets (
  id uuid not null,
  project_id uuid,
  file_hash text not null,
  kind_id smallint not null,
  retention_class_id smallint not null,
  name text not null,
  created_by_id uuid,
  created_at timestamp with time zone default now() not null,
  constraint assets_name_check CHECK (((length(name) >= 1) AND (length(name) <= 255))),
  constraint assets_created_by_id_fkey FOREIGN KEY (created_by_id) REFERENCES users(id) ON DELETE SET NULL,
  constraint assets_file_hash_fkey FOREIGN KEY (file_hash) REFERENCES files(hash) ON DELETE RESTRICT,
  constraint assets_kind_id_fkey FOREIGN KEY (kind_id) REFERENCES asset_kind(id) ON DELETE RESTRICT,
  constraint assets_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id) ON DELETE RESTRICT,
  constraint assets_retention_class_id_fkey FOREIGN KEY (retention_class_id) REFERENCES retention_class(id) ON DELETE RESTRICT,
  constraint assets_pkey PRIMARY KEY (id)
);
CREATE INDEX assets_by_name ON public.assets USING gin (name extensions.gin_trgm_ops);
CREATE INDEX assets_created_by_id_idx ON public.assets USING btree (created_by_id);
CREATE INDEX assets_file_hash_idx ON public.assets USING btree (file_hash);
CREATE INDEX assets_kind_id_id_idx ON public.assets USING btree (kind_id, id DESC);
CREATE INDEX assets_of_project ON public.assets USING btree (project_id, id DESC);
CREATE INDEX assets_retention_class_id_idx ON public.assets USING btree (retention_class_id);
CREATE TRIGGER protected_is_kept BEFORE DELETE ON public.assets FOR EACH ROW EXECUTE FUNCTION refuse_protected_delete();

create table attempt_outcome (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint attempt_outcome_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint attempt_outcome_pkey PRIMARY KEY (id),
  constraint attempt_outcome_code_key UNIQUE (code)
);

create table audit_action (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint audit_action_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint audit_action_pkey PRIMARY KEY (id),
  constraint audit_action_code_key UNIQUE (code)
);

create table audit_entries (
  id bigint generated always as identity not null,
  at timestamp with time zone default now() not null,
  action_id smallint not null,
  user_id uuid,
  token_id uuid,
  project_id uuid,
  subject_kind_id smallint,
  subject_id uuid,
  ip inet,
  request_id text,
  facts jsonb default '{}'::jsonb not null,
  constraint audit_entries_action_id_fkey FOREIGN KEY (action_id) REFERENCES audit_action(id) ON DELETE RESTRICT,
  constraint audit_entries_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id) ON DELETE SET NULL,
  constraint audit_entries_subject_kind_id_fkey FOREIGN KEY (subject_kind_id) REFERENCES subject_kind(id) ON DELETE RESTRICT,
  constraint audit_entries_token_id_fkey FOREIGN KEY (token_id) REFERENCES api_tokens(id) ON DELETE SET NULL,
  constraint audit_entries_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE SET NULL,
  constraint audit_entries_pkey PRIMARY KEY (id)
);
CREATE INDEX audit_entries_action_id_idx ON public.audit_entries USING btree (action_id);
CREATE INDEX audit_entries_project_id_id_idx ON public.audit_entries USING btree (project_id, id DESC);
CREATE INDEX audit_entries_subject_kind_id_idx ON public.audit_entries USING btree (subject_kind_id);
CREATE INDEX audit_entries_token_id_idx ON public.audit_entries USING btree (token_id);
CREATE INDEX audit_entries_user_id_id_idx ON public.audit_entries USING btree (user_id, id DESC);
CREATE INDEX audit_of_subject ON public.audit_entries USING btree (subject_id, id DESC);

create table character_status (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint character_status_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint character_status_pkey PRIMARY KEY (id),
  constraint character_status_code_key UNIQUE (code)
);

create table character_status_transition (
  from_id smallint not null,
  to_id smallint not null,
  constraint character_status_transition_from_id_fkey FOREIGN KEY (from_id) REFERENCES character_status(id) ON DELETE RESTRICT,
  constraint character_status_transition_to_id_fkey FOREIGN KEY (to_id) REFERENCES character_status(id) ON DELETE RESTRICT,
  constraint character_status_transition_pkey PRIMARY KEY (from_id, to_id)
);
CREATE INDEX character_status_transition_to_id_idx ON public.character_status_transition USING btree (to_id);

create table characters (
  id uuid not null,
  project_id uuid not null,
  name text not null,
  description text default ''::text not null,
  status_id smallint not null,
  created_by_id uuid,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  constraint characters_name_check CHECK (((name = btrim(name)) AND ((length(name) >= 1) AND (length(name) <= 120)))),
  constraint characters_created_by_id_fkey FOREIGN KEY (created_by_id) REFERENCES users(id) ON DELETE SET NULL,
  constraint characters_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id) ON DELETE RESTRICT,
  constraint characters_status_id_fkey FOREIGN KEY (status_id) REFERENCES character_status(id) ON DELETE RESTRICT,
  constraint characters_pkey PRIMARY KEY (id),
  constraint characters_id_project_id_key UNIQUE (id, project_id),
  constraint characters_project_id_name_key UNIQUE (project_id, name)
);
CREATE INDEX characters_by_name ON public.characters USING gin (name extensions.gin_trgm_ops);
CREATE INDEX characters_created_by_id_idx ON public.characters USING btree (created_by_id);
CREATE INDEX characters_status_id_idx ON public.characters USING btree (status_id);
CREATE TRIGGER character_status_changes BEFORE UPDATE OF status_id ON public.characters FOR EACH ROW WHEN ((old.status_id IS DISTINCT FROM new.status_id)) EXECUTE FUNCTION enforce_character_status_transition();

create table clip_knobs (
  clip_id uuid not null,
  parameter text not null,
  value jsonb not null,
  constraint clip_knobs_clip_id_fkey FOREIGN KEY (clip_id) REFERENCES clips(id) ON DELETE CASCADE,
  constraint clip_knobs_pkey PRIMARY KEY (clip_id, parameter)
);

create table clip_status (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint clip_status_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint clip_status_pkey PRIMARY KEY (id),
  constraint clip_status_code_key UNIQUE (code)
);

create table clip_status_transition (
  from_id smallint not null,
  to_id smallint not null,
  constraint clip_status_transition_from_id_fkey FOREIGN KEY (from_id) REFERENCES clip_status(id) ON DELETE RESTRICT,
  constraint clip_status_transition_to_id_fkey FOREIGN KEY (to_id) REFERENCES clip_status(id) ON DELETE RESTRICT,
  constraint clip_status_transition_pkey PRIMARY KEY (from_id, to_id)
);
CREATE INDEX clip_status_transition_to_id_idx ON public.clip_status_transition USING btree (to_id);

create table clips (
  id uuid not null,
  project_id uuid not null,
  scene_id uuid not null,
  character_id uuid not null,
  name text not null,
  "position" integer not null,
  status_id smallint not null,
  portrait_seed_id uuid,
  hero_seed_id uuid,
  workflow_version_id uuid,
  frames integer not null,
  prompt text default ''::text not null,
  negative_prompt text default ''::text not null,
  random_seed bigint not null,
  likeness_floor real,
  reroll_limit smallint default 2 not null,
  attention text,
  created_by_id uuid,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  retime_limit real default 0 not null,
  constraint clips_frames_check CHECK (((frames >= 1) AND (frames <= 200000))),
  constraint clips_likeness_floor_check CHECK (((likeness_floor >= (0)::double precision) AND (likeness_floor <= (1)::double precision))),
  constraint clips_name_check CHECK (((name = btrim(name)) AND ((length(name) >= 1) AND (length(name) <= 120)))),
  constraint clips_random_seed_check CHECK (((random_seed >= 0) AND (random_seed <= '9007199254740991'::bigint))),
  constraint clips_reroll_limit_check CHECK (((reroll_limit >= 0) AND (reroll_limit <= 20))),
  constraint clips_retime_limit_check CHECK (((retime_limit >= (0)::double precision) AND (retime_limit <= (0.04)::double precision))),
  constraint clips_character_id_project_id_fkey FOREIGN KEY (character_id, project_id) REFERENCES characters(id, project_id) ON DELETE RESTRICT,
  constraint clips_created_by_id_fkey FOREIGN KEY (created_by_id) REFERENCES users(id) ON DELETE SET NULL,
  constraint clips_hero_seed_id_fkey FOREIGN KEY (hero_seed_id) REFERENCES seeds(id) ON DELETE RESTRICT,
  constraint clips_portrait_seed_id_fkey FOREIGN KEY (portrait_seed_id) REFERENCES seeds(id) ON DELETE RESTRICT,
  constraint clips_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id) ON DELETE RESTRICT,
  constraint clips_scene_id_project_id_fkey FOREIGN KEY (scene_id, project_id) REFERENCES scenes(id, project_id) ON DELETE RESTRICT,
  constraint clips_status_id_fkey FOREIGN KEY (status_id) REFERENCES clip_status(id) ON DELETE RESTRICT,
  constraint clips_workflow_version_id_fkey FOREIGN KEY (workflow_version_id) REFERENCES workflow_versions(id) ON DELETE RESTRICT,
  constraint clips_pkey PRIMARY KEY (id),
  constraint clips_scene_id_name_key UNIQUE (scene_id, name)
);
CREATE INDEX clips_by_name ON public.clips USING gin (name extensions.gin_trgm_ops);
CREATE INDEX clips_character_id_project_id_idx ON public.clips USING btree (character_id, project_id);
CREATE INDEX clips_created_by_id_idx ON public.clips USING btree (created_by_id);
CREATE INDEX clips_hero_seed_id_idx ON public.clips USING btree (hero_seed_id);
CREATE INDEX clips_of_scene ON public.clips USING btree (scene_id, project_id, "position");
CREATE INDEX clips_portrait_seed_id_idx ON public.clips USING btree (portrait_seed_id);
CREATE INDEX clips_project_id_idx ON public.clips USING btree (project_id);
CREATE INDEX clips_status_id_idx ON public.clips USING btree (status_id);
CREATE INDEX clips_workflow_version_id_idx ON public.clips USING btree (workflow_version_id);
CREATE TRIGGER clip_status_changes BEFORE UPDATE OF status_id ON public.clips FOR EACH ROW WHEN ((old.status_id IS DISTINCT FROM new.status_id)) EXECUTE FUNCTION enforce_clip_status_transition();

create table conform_rule (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint conform_rule_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint conform_rule_pkey PRIMARY KEY (id),
  constraint conform_rule_code_key UNIQUE (code)
);

create table cut_curves (
  cut_id uuid not null,
  motion real[] not null,
  sharpness real[] not null,
  mean_luma real[] not null,
  noise_floor real not null,
  constraint cut_curves_cut_id_fkey FOREIGN KEY (cut_id) REFERENCES cuts(id) ON DELETE CASCADE,
  constraint cut_curves_pkey PRIMARY KEY (cut_id)
);

create table cut_likeness (
  cut_id uuid not null,
  face_model_id uuid not null,
  median real,
  min real,
  coverage real not null,
  constraint cut_likeness_coverage_check CHECK (((coverage >= (0)::double precision) AND (coverage <= (1)::double precision))),
  constraint cut_likeness_cut_id_fkey FOREIGN KEY (cut_id) REFERENCES cuts(id) ON DELETE CASCADE,
  constraint cut_likeness_face_model_id_fkey FOREIGN KEY (face_model_id) REFERENCES face_models(id) ON DELETE RESTRICT,
  constraint cut_likeness_pkey PRIMARY KEY (cut_id)
);
CREATE INDEX cut_likeness_face_model_id_idx ON public.cut_likeness USING btree (face_model_id);

create table cut_likeness_points (
  cut_id uuid not null,
  frame integer not null,
  score real,
  constraint cut_likeness_points_cut_id_fkey FOREIGN KEY (cut_id) REFERENCES cuts(id) ON DELETE CASCADE,
  constraint cut_likeness_points_pkey PRIMARY KEY (cut_id, frame)
);

create table cut_parts (
  cut_id uuid not null,
  index smallint not null,
  take_id uuid not null,
  source_first_frame integer not null,
  source_frame_count integer not null,
  first_frame integer,
  retimed_frame_count integer,
  constraint cut_parts_retimed_frame_count_check CHECK ((retimed_frame_count > 0)),
  constraint cut_parts_source_frame_count_check CHECK ((source_frame_count > 0)),
  constraint cut_parts_cut_id_fkey FOREIGN KEY (cut_id) REFERENCES cuts(id) ON DELETE CASCADE,
  constraint cut_parts_take_id_fkey FOREIGN KEY (take_id) REFERENCES takes(id) ON DELETE RESTRICT,
  constraint cut_parts_pkey PRIMARY KEY (cut_id, index)
);
CREATE INDEX cut_parts_take_id_idx ON public.cut_parts USING btree (take_id);

create table cut_seams (
  cut_id uuid not null,
  frame integer not null,
  jump real not null,
  reversal real,
  color_step real not null,
  luma_step real not null,
  sharpness_ratio real not null,
  verdict_id smallint not null,
  reasons text[] default '{}'::text[] not null,
  constraint cut_seams_cut_id_fkey FOREIGN KEY (cut_id) REFERENCES cuts(id) ON DELETE CASCADE,
  constraint cut_seams_verdict_id_fkey FOREIGN KEY (verdict_id) REFERENCES seam_verdict(id) ON DELETE RESTRICT,
  constraint cut_seams_pkey PRIMARY KEY (cut_id, frame)
);
CREATE INDEX cut_seams_verdict_id_idx ON public.cut_seams USING btree (verdict_id);

create table cut_status (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint cut_status_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint cut_status_pkey PRIMARY KEY (id),
  constraint cut_status_code_key UNIQUE (code)
);

create table cut_status_transition (
  from_id smallint not null,
  to_id smallint not null,
  constraint cut_status_transition_from_id_fkey FOREIGN KEY (from_id) REFERENCES cut_status(id) ON DELETE RESTRICT,
  constraint cut_status_transition_to_id_fkey FOREIGN KEY (to_id) REFERENCES cut_status(id) ON DELETE RESTRICT,
  constraint cut_status_transition_pkey PRIMARY KEY (from_id, to_id)
);
CREATE INDEX cut_status_transition_to_id_idx ON public.cut_status_transition USING btree (to_id);

create table cuts (
  id uuid not null,
  clip_id uuid not null,
  number integer not null,
  status_id smallint not null,
  rate_num integer not null,
  rate_den integer not null,
  width_px integer not null,
  height_px integer not null,
  frames integer not null,
  conform_rule_id smallint not null,
  asset_id uuid,
  intermediate_asset_id uuid,
  failure text,
  created_by_id uuid,
  created_at timestamp with time zone default now() not null,
  finished_at timestamp with time zone,
  gate_verdict_id smallint,
  gate_reasons text[] default '{}'::text[] not null,
  gate_segment smallint,
  constraint cuts_frames_check CHECK ((frames > 0)),
  constraint cuts_gate_segment_check CHECK ((gate_segment >= 1)),
  constraint cuts_number_check CHECK ((number >= 1)),
  constraint cuts_rate_den_check CHECK ((rate_den > 0)),
  constraint cuts_rate_num_check CHECK ((rate_num > 0)),
  constraint made_has_file CHECK (((status_id = ANY (ARRAY[1, 2, 7])) OR ((asset_id IS NOT NULL) AND (intermediate_asset_id IS NOT NULL)))),
  constraint cuts_asset_id_fkey FOREIGN KEY (asset_id) REFERENCES assets(id) ON DELETE RESTRICT,
  constraint cuts_clip_id_fkey FOREIGN KEY (clip_id) REFERENCES clips(id) ON DELETE RESTRICT,
  constraint cuts_conform_rule_id_fkey FOREIGN KEY (conform_rule_id) REFERENCES conform_rule(id) ON DELETE RESTRICT,
  constraint cuts_created_by_id_fkey FOREIGN KEY (created_by_id) REFERENCES users(id) ON DELETE SET NULL,
  constraint cuts_gate_verdict_id_fkey FOREIGN KEY (gate_verdict_id) REFERENCES gate_verdict(id) ON DELETE RESTRICT,
  constraint cuts_intermediate_asset_id_fkey FOREIGN KEY (intermediate_asset_id) REFERENCES assets(id) ON DELETE RESTRICT,
  constraint cuts_status_id_fkey FOREIGN KEY (status_id) REFERENCES cut_status(id) ON DELETE RESTRICT,
  constraint cuts_pkey PRIMARY KEY (id),
  constraint cuts_clip_id_number_key UNIQUE (clip_id, number)
);
CREATE INDEX cuts_asset_id_idx ON public.cuts USING btree (asset_id);
CREATE INDEX cuts_conform_rule_id_idx ON public.cuts USING btree (conform_rule_id);
CREATE INDEX cuts_created_by_id_idx ON public.cuts USING btree (created_by_id);
CREATE INDEX cuts_gate_verdict_id_idx ON public.cuts USING btree (gate_verdict_id);
CREATE INDEX cuts_intermediate_asset_id_idx ON public.cuts USING btree (intermediate_asset_id);
CREATE INDEX cuts_status_id_idx ON public.cuts USING btree (status_id);
CREATE UNIQUE INDEX one_final_cut ON public.cuts USING btree (clip_id) WHERE (status_id = 5);
CREATE TRIGGER cut_status_changes BEFORE UPDATE OF status_id ON public.cuts FOR EACH ROW WHEN ((old.status_id IS DISTINCT FROM new.status_id)) EXECUTE FUNCTION enforce_cut_status_transition();

create table decision_kind (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint decision_kind_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint decision_kind_pkey PRIMARY KEY (id),
  constraint decision_kind_code_key UNIQUE (code)
);

create table decisions (
  id uuid not null,
  cut_id uuid not null,
  kind_id smallint not null,
  file_hash text not null,
  decided_by_id uuid,
  decided_at timestamp with time zone default now() not null,
  note text default ''::text not null,
  undone_at timestamp with time zone,
  constraint decisions_cut_id_fkey FOREIGN KEY (cut_id) REFERENCES cuts(id) ON DELETE RESTRICT,
  constraint decisions_decided_by_id_fkey FOREIGN KEY (decided_by_id) REFERENCES users(id) ON DELETE SET NULL,
  constraint decisions_file_hash_fkey FOREIGN KEY (file_hash) REFERENCES files(hash) ON DELETE RESTRICT,
  constraint decisions_kind_id_fkey FOREIGN KEY (kind_id) REFERENCES decision_kind(id) ON DELETE RESTRICT,
  constraint decisions_pkey PRIMARY KEY (id)
);
CREATE INDEX decisions_cut_id_decided_at_idx ON public.decisions USING btree (cut_id, decided_at);
CREATE INDEX decisions_decided_by_id_idx ON public.decisions USING btree (decided_by_id);
CREATE INDEX decisions_file_hash_idx ON public.decisions USING btree (file_hash);
CREATE INDEX decisions_kind_id_idx ON public.decisions USING btree (kind_id);

create table deliveries (
  id uuid not null,
  scene_id uuid not null,
  master_id uuid not null,
  number integer not null,
  status_id smallint not null,
  created_by_id uuid,
  created_at timestamp with time zone default now() not null,
  constraint deliveries_number_check CHECK ((number >= 1)),
  constraint deliveries_created_by_id_fkey FOREIGN KEY (created_by_id) REFERENCES users(id) ON DELETE SET NULL,
  constraint deliveries_master_id_fkey FOREIGN KEY (master_id) REFERENCES masters(id) ON DELETE RESTRICT,
  constraint deliveries_scene_id_fkey FOREIGN KEY (scene_id) REFERENCES scenes(id) ON DELETE RESTRICT,
  constraint deliveries_status_id_fkey FOREIGN KEY (status_id) REFERENCES delivery_status(id) ON DELETE RESTRICT,
  constraint deliveries_pkey PRIMARY KEY (id),
  constraint deliveries_scene_id_number_key UNIQUE (scene_id, number)
);
CREATE INDEX deliveries_created_by_id_idx ON public.deliveries USING btree (created_by_id);
CREATE INDEX deliveries_master_id_idx ON public.deliveries USING btree (master_id);
CREATE INDEX deliveries_status_id_idx ON public.deliveries USING btree (status_id);
CREATE TRIGGER delivery_status_changes BEFORE UPDATE OF status_id ON public.deliveries FOR EACH ROW WHEN ((old.status_id IS DISTINCT FROM new.status_id)) EXECUTE FUNCTION enforce_delivery_status_transition();

create table delivery_file_kind (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint delivery_file_kind_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint delivery_file_kind_pkey PRIMARY KEY (id),
  constraint delivery_file_kind_code_key UNIQUE (code)
);

create table delivery_files (
  delivery_id uuid not null,
  name text not null,
  kind_id smallint not null,
  asset_id uuid not null,
  constraint delivery_files_name_check CHECK ((name ~ '^[A-Za-z0-9_.-]+$'::text)),
  constraint delivery_files_asset_id_fkey FOREIGN KEY (asset_id) REFERENCES assets(id) ON DELETE RESTRICT,
  constraint delivery_files_delivery_id_fkey FOREIGN KEY (delivery_id) REFERENCES deliveries(id) ON DELETE RESTRICT,
  constraint delivery_files_kind_id_fkey FOREIGN KEY (kind_id) REFERENCES delivery_file_kind(id) ON DELETE RESTRICT,
  constraint delivery_files_pkey PRIMARY KEY (delivery_id, name)
);
CREATE INDEX delivery_files_asset_id_idx ON public.delivery_files USING btree (asset_id);
CREATE INDEX delivery_files_kind_id_idx ON public.delivery_files USING btree (kind_id);

create table delivery_status (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint delivery_status_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint delivery_status_pkey PRIMARY KEY (id),
  constraint delivery_status_code_key UNIQUE (code)
);

create table delivery_status_transition (
  from_id smallint not null,
  to_id smallint not null,
  constraint delivery_status_transition_from_id_fkey FOREIGN KEY (from_id) REFERENCES delivery_status(id) ON DELETE RESTRICT,
  constraint delivery_status_transition_to_id_fkey FOREIGN KEY (to_id) REFERENCES delivery_status(id) ON DELETE RESTRICT,
  constraint delivery_status_transition_pkey PRIMARY KEY (from_id, to_id)
);
CREATE INDEX delivery_status_transition_to_id_idx ON public.delivery_status_transition USING btree (to_id);

create table derivative_kind (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint derivative_kind_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint derivative_kind_pkey PRIMARY KEY (id),
  constraint derivative_kind_code_key UNIQUE (code)
);

create table derivatives (
  source_hash text not null,
  kind_id smallint not null,
  file_hash text not null,
  layout jsonb,
  created_at timestamp with time zone default now() not null,
  constraint derivatives_file_hash_fkey FOREIGN KEY (file_hash) REFERENCES files(hash) ON DELETE RESTRICT,
  constraint derivatives_kind_id_fkey FOREIGN KEY (kind_id) REFERENCES derivative_kind(id) ON DELETE RESTRICT,
  constraint derivatives_source_hash_fkey FOREIGN KEY (source_hash) REFERENCES files(hash) ON DELETE CASCADE,
  constraint derivatives_pkey PRIMARY KEY (source_hash, kind_id)
);
CREATE INDEX derivatives_file_hash_idx ON public.derivatives USING btree (file_hash);
CREATE INDEX derivatives_kind_id_idx ON public.derivatives USING btree (kind_id);
CREATE TRIGGER card_follows AFTER INSERT OR DELETE OR UPDATE ON public.derivatives FOR EACH ROW EXECUTE FUNCTION follow_derivatives();

create table document_kind (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint document_kind_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint document_kind_pkey PRIMARY KEY (id),
  constraint document_kind_code_key UNIQUE (code)
);

create table documents (
  id uuid not null,
  kind_id smallint not null,
  character_id uuid,
  cut_id uuid,
  version integer not null,
  schema_version text not null,
  asset_id uuid not null,
  created_at timestamp with time zone default now() not null,
  constraint documents_version_check CHECK ((version >= 1)),
  constraint has_one_subject CHECK ((num_nonnulls(character_id, cut_id) = 1)),
  constraint documents_asset_id_fkey FOREIGN KEY (asset_id) REFERENCES assets(id) ON DELETE RESTRICT,
  constraint documents_character_id_fkey FOREIGN KEY (character_id) REFERENCES characters(id) ON DELETE RESTRICT,
  constraint documents_cut_id_fkey FOREIGN KEY (cut_id) REFERENCES cuts(id) ON DELETE RESTRICT,
  constraint documents_kind_id_fkey FOREIGN KEY (kind_id) REFERENCES document_kind(id) ON DELETE RESTRICT,
  constraint documents_pkey PRIMARY KEY (id),
  constraint documents_character_id_version_key UNIQUE (character_id, version),
  constraint documents_cut_id_version_key UNIQUE (cut_id, version)
);
CREATE INDEX documents_asset_id_idx ON public.documents USING btree (asset_id);
CREATE INDEX documents_kind_id_idx ON public.documents USING btree (kind_id);

create table event_kind (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint event_kind_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint event_kind_pkey PRIMARY KEY (id),
  constraint event_kind_code_key UNIQUE (code)
);

create table events (
  seq bigint generated always as identity not null,
  at timestamp with time zone default now() not null,
  kind_id smallint not null,
  topic text not null,
  project_id uuid,
  data jsonb not null,
  constraint events_kind_id_fkey FOREIGN KEY (kind_id) REFERENCES event_kind(id) ON DELETE RESTRICT,
  constraint events_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id) ON DELETE CASCADE,
  constraint events_pkey PRIMARY KEY (seq)
);
CREATE INDEX events_of_kind ON public.events USING brin (kind_id);
CREATE INDEX events_of_project ON public.events USING btree (project_id) WHERE (project_id IS NOT NULL);
CREATE INDEX events_topic_seq_idx ON public.events USING btree (topic, seq);
CREATE TRIGGER events_are_announced AFTER INSERT ON public.events REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION announce_event();

create table face_models (
  id uuid not null,
  name text not null,
  hash text not null,
  metric text not null,
  constraint face_models_pkey PRIMARY KEY (id),
  constraint face_models_name_hash_key UNIQUE (name, hash)
);

create table failure_class (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  retries smallint default 3,
  backoff_ms integer default 1000 not null,
  spends boolean default true not null,
  mend text default ''::text not null,
  constraint failure_class_backoff_ms_check CHECK ((backoff_ms >= 0)),
  constraint failure_class_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint failure_class_retries_check CHECK (((retries >= 0) AND (retries <= 20))),
  constraint failure_class_pkey PRIMARY KEY (id),
  constraint failure_class_code_key UNIQUE (code)
);

create table fair_accounts (
  lane_id smallint not null,
  user_id uuid,
  fair_end bigint not null,
  constraint fair_accounts_lane_id_fkey FOREIGN KEY (lane_id) REFERENCES lane(id) ON DELETE CASCADE,
  constraint fair_accounts_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE,
  constraint fair_accounts_lane_id_user_id_key UNIQUE NULLS NOT DISTINCT (lane_id, user_id)
);
CREATE INDEX fair_accounts_user_id_idx ON public.fair_accounts USING btree (user_id);

create table fair_shares (
  lane_id smallint not null,
  user_id uuid not null,
  weight real not null,
  constraint fair_shares_weight_check CHECK (((weight >= (0.01)::double precision) AND (weight <= (100)::double precision))),
  constraint fair_shares_lane_id_fkey FOREIGN KEY (lane_id) REFERENCES lane(id) ON DELETE CASCADE,
  constraint fair_shares_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE,
  constraint fair_shares_pkey PRIMARY KEY (lane_id, user_id)
);
CREATE INDEX fair_shares_user_id_idx ON public.fair_shares USING btree (user_id);

create table file_inspections (
  file_hash text not null,
  status_id smallint not null,
  failure text,
  updated_at timestamp with time zone default now() not null,
  constraint failed_says_why CHECK (((status_id = 3) = (failure IS NOT NULL))),
  constraint file_inspections_file_hash_fkey FOREIGN KEY (file_hash) REFERENCES files(hash) ON DELETE CASCADE,
  constraint file_inspections_status_id_fkey FOREIGN KEY (status_id) REFERENCES inspection_status(id) ON DELETE RESTRICT,
  constraint file_inspections_pkey PRIMARY KEY (file_hash)
);
CREATE INDEX file_inspections_status_id_idx ON public.file_inspections USING btree (status_id);
CREATE TRIGGER inspection_status_changes BEFORE UPDATE OF status_id ON public.file_inspections FOR EACH ROW WHEN ((old.status_id IS DISTINCT FROM new.status_id)) EXECUTE FUNCTION enforce_inspection_status_transition();

create table files (
  hash text not null,
  hash_algorithm_id smallint default 1 not null,
  size_bytes bigint not null,
  media_type_id smallint not null,
  created_at timestamp with time zone default now() not null,
  card text not null,
  constraint files_hash_check CHECK ((hash ~ '^[0-9a-f]{64}$'::text)),
  constraint files_size_bytes_check CHECK ((size_bytes >= 0)),
  constraint files_hash_algorithm_id_fkey FOREIGN KEY (hash_algorithm_id) REFERENCES hash_algorithm(id) ON DELETE RESTRICT,
  constraint files_media_type_id_fkey FOREIGN KEY (media_type_id) REFERENCES media_type(id) ON DELETE RESTRICT,
  constraint files_pkey PRIMARY KEY (hash)
);
CREATE INDEX files_hash_algorithm_id_idx ON public.files USING btree (hash_algorithm_id);
CREATE INDEX files_media_type_id_idx ON public.files USING btree (media_type_id);
CREATE TRIGGER card_is_written BEFORE INSERT OR UPDATE OF hash, size_bytes, media_type_id ON public.files FOR EACH ROW EXECUTE FUNCTION write_file_card();

create table gate_verdict (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint gate_verdict_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint gate_verdict_pkey PRIMARY KEY (id),
  constraint gate_verdict_code_key UNIQUE (code)
);

create table hash_algorithm (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint hash_algorithm_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint hash_algorithm_pkey PRIMARY KEY (id),
  constraint hash_algorithm_code_key UNIQUE (code)
);

create table host_vitals (
  host text not null,
  at timestamp with time zone not null,
  cpu_percent real,
  memory_used_bytes bigint,
  memory_total_bytes bigint,
  disk_used_bytes bigint,
  disk_total_bytes bigint,
  received_bytes_per_second real,
  sent_bytes_per_second real,
  constraint host_vitals_pkey PRIMARY KEY (host, at)
);

create table inspection_status (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint inspection_status_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint inspection_status_pkey PRIMARY KEY (id),
  constraint inspection_status_code_key UNIQUE (code)
);

create table inspection_status_transition (
  from_id smallint not null,
  to_id smallint not null,
  constraint inspection_status_transition_from_id_fkey FOREIGN KEY (from_id) REFERENCES inspection_status(id) ON DELETE RESTRICT,
  constraint inspection_status_transition_to_id_fkey FOREIGN KEY (to_id) REFERENCES inspection_status(id) ON DELETE RESTRICT,
  constraint inspection_status_transition_pkey PRIMARY KEY (from_id, to_id)
);
CREATE INDEX inspection_status_transition_to_id_idx ON public.inspection_status_transition USING btree (to_id);

create table job_attempts (
  id uuid not null,
  job_id uuid not null,
  number integer not null,
  worker_id uuid,
  node_id uuid,
  started_at timestamp with time zone not null,
  finished_at timestamp with time zone not null,
  outcome_id smallint not null,
  failure_class_id smallint,
  error text,
  is_counted boolean default false not null,
  constraint job_attempts_failure_class_id_fkey FOREIGN KEY (failure_class_id) REFERENCES failure_class(id) ON DELETE RESTRICT,
  constraint job_attempts_job_id_fkey FOREIGN KEY (job_id) REFERENCES jobs(id) ON DELETE CASCADE,
  constraint job_attempts_node_id_fkey FOREIGN KEY (node_id) REFERENCES server_nodes(id) ON DELETE SET NULL,
  constraint job_attempts_outcome_id_fkey FOREIGN KEY (outcome_id) REFERENCES attempt_outcome(id) ON DELETE RESTRICT,
  constraint job_attempts_worker_id_fkey FOREIGN KEY (worker_id) REFERENCES workers(id) ON DELETE SET NULL,
  constraint job_attempts_pkey PRIMARY KEY (id),
  constraint job_attempts_job_id_number_key UNIQUE (job_id, number)
);
CREATE INDEX job_attempts_failure_class_id_idx ON public.job_attempts USING btree (failure_class_id) WHERE (failure_class_id IS NOT NULL);
CREATE INDEX job_attempts_node_id_idx ON public.job_attempts USING btree (node_id) WHERE (node_id IS NOT NULL);
CREATE INDEX job_attempts_of_outcome ON public.job_attempts USING brin (outcome_id);
CREATE INDEX job_attempts_of_worker ON public.job_attempts USING btree (worker_id, id DESC) WHERE (worker_id IS NOT NULL);

create table job_dependencies (
  job_id uuid not null,
  needs_job_id uuid not null,
  constraint needs_another CHECK ((job_id <> needs_job_id)),
  constraint job_dependencies_job_id_fkey FOREIGN KEY (job_id) REFERENCES jobs(id) ON DELETE CASCADE,
  constraint job_dependencies_needs_job_id_fkey FOREIGN KEY (needs_job_id) REFERENCES jobs(id) ON DELETE RESTRICT,
  constraint job_dependencies_pkey PRIMARY KEY (job_id, needs_job_id)
);
CREATE INDEX job_dependencies_needs_job_id_idx ON public.job_dependencies USING btree (needs_job_id);

create table job_durations (
  kind_id smallint not null,
  workflow_version_id uuid,
  worker_id uuid,
  runs integer not null,
  recent_ms real[] not null,
  recent_ms_per_work real[] default '{}'::real[] not null,
  median_ms real not null,
  median_ms_per_work real,
  updated_at timestamp with time zone default now() not null,
  constraint job_durations_kind_id_fkey FOREIGN KEY (kind_id) REFERENCES job_kind(id) ON DELETE CASCADE,
  constraint job_durations_worker_id_fkey FOREIGN KEY (worker_id) REFERENCES workers(id) ON DELETE CASCADE,
  constraint job_durations_workflow_version_id_fkey FOREIGN KEY (workflow_version_id) REFERENCES workflow_versions(id) ON DELETE CASCADE,
  constraint job_durations_kind_id_workflow_version_id_worker_id_key UNIQUE NULLS NOT DISTINCT (kind_id, workflow_version_id, worker_id)
);
CREATE INDEX job_durations_worker_id_idx ON public.job_durations USING btree (worker_id);
CREATE INDEX job_durations_workflow_version_id_idx ON public.job_durations USING btree (workflow_version_id);

create table job_kind (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  lane_id smallint not null,
  max_attempts smallint default 3 not null,
  constraint job_kind_max_attempts_check CHECK (((max_attempts >= 1) AND (max_attempts <= 20))),
  constraint job_kind_lane_id_fkey FOREIGN KEY (lane_id) REFERENCES lane(id) ON DELETE RESTRICT,
  constraint job_kind_pkey PRIMARY KEY (id),
  constraint job_kind_code_key UNIQUE (code)
);
CREATE INDEX job_kind_lane_id_idx ON public.job_kind USING btree (lane_id);

create table job_log_lines (
  id bigint generated always as identity not null,
  job_id uuid not null,
  at timestamp with time zone default now() not null,
  level_id smallint not null,
  message text not null,
  fields jsonb default '{}'::jsonb not null,
  constraint job_log_lines_job_id_fkey FOREIGN KEY (job_id) REFERENCES jobs(id) ON DELETE CASCADE,
  constraint job_log_lines_level_id_fkey FOREIGN KEY (level_id) REFERENCES log_level(id) ON DELETE RESTRICT,
  constraint job_log_lines_pkey PRIMARY KEY (id)
);
CREATE INDEX job_log_lines_job_id_id_idx ON public.job_log_lines USING btree (job_id, id);
CREATE INDEX job_log_lines_level_id_idx ON public.job_log_lines USING btree (level_id);

create table job_previews (
  job_id uuid not null,
  media_type_id smallint not null,
  bytes bytea not null,
  updated_at timestamp with time zone default now() not null,
  constraint job_previews_media_type_id_fkey FOREIGN KEY (media_type_id) REFERENCES media_type(id) ON DELETE RESTRICT,
  constraint job_previews_pkey PRIMARY KEY (job_id)
);
CREATE INDEX job_previews_media_type_id_idx ON public.job_previews USING btree (media_type_id);

create table job_progress (
  job_id uuid not null,
  ratio real not null,
  note text default ''::text not null,
  updated_at timestamp with time zone default now() not null,
  constraint job_progress_ratio_check CHECK (((ratio >= (0)::double precision) AND (ratio <= (1)::double precision))),
  constraint job_progress_pkey PRIMARY KEY (job_id)
);

create table job_status (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint job_status_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint job_status_pkey PRIMARY KEY (id),
  constraint job_status_code_key UNIQUE (code)
);

create table job_status_transition (
  from_id smallint not null,
  to_id smallint not null,
  constraint job_status_transition_from_id_fkey FOREIGN KEY (from_id) REFERENCES job_status(id) ON DELETE RESTRICT,
  constraint job_status_transition_to_id_fkey FOREIGN KEY (to_id) REFERENCES job_status(id) ON DELETE RESTRICT,
  constraint job_status_transition_pkey PRIMARY KEY (from_id, to_id)
);
CREATE INDEX job_status_transition_to_id_idx ON public.job_status_transition USING btree (to_id);

create table jobs (
  id uuid not null,
  kind_id smallint not null,
  lane_id smallint not null,
  status_id smallint not null,
  project_id uuid,
  user_id uuid,
  priority smallint default 0 not null,
  order_key bigint not null,
  fair_end bigint not null,
  cost_ms integer not null,
  work real,
  run_at timestamp with time zone default now() not null,
  input jsonb not null,
  output jsonb,
  workflow_version_id uuid,
  worker_id uuid,
  seed_id uuid,
  take_id uuid,
  cut_id uuid,
  master_id uuid,
  file_hash text,
  attempt integer default 0 not null,
  failures integer default 0 not null,
  retried_after integer default 0 not null,
  lease_node_id uuid,
  lease_until timestamp with time zone,
  lease_epoch integer default 0 not null,
  cancel_asked_at timestamp with time zone,
  failure_class_id smallint,
  error text,
  idempotency_key text,
  created_at timestamp with time zone default now() not null,
  started_at timestamp with time zone,
  finished_at timestamp with time zone,
  attempt_id uuid,
  attempt_started_at timestamp with time zone,
  pinned_worker_id uuid,
  constraint done_has_output CHECK (((status_id <> 5) OR (output IS NOT NULL))),
  constraint failed_has_reason CHECK (((status_id <> 6) OR (failure_class_id IS NOT NULL))),
  constraint final_is_finished CHECK (((status_id = ANY (ARRAY[5, 6, 7])) = (finished_at IS NOT NULL))),
  constraint has_one_subject CHECK ((num_nonnulls(seed_id, take_id, cut_id, master_id, file_hash) <= 1)),
  constraint jobs_cost_ms_check CHECK ((cost_ms > 0)),
  constraint jobs_priority_check CHECK (((priority >= '-10'::integer) AND (priority <= 10))),
  constraint jobs_work_check CHECK ((work > (0)::double precision)),
  constraint running_has_attempt CHECK (((status_id <> 4) OR ((attempt_id IS NOT NULL) AND (attempt_started_at IS NOT NULL)))),
  constraint running_has_lease CHECK (((status_id = 4) = (lease_until IS NOT NULL))),
  constraint jobs_cut_id_fkey FOREIGN KEY (cut_id) REFERENCES cuts(id) ON DELETE RESTRICT,
  constraint jobs_failure_class_id_fkey FOREIGN KEY (failure_class_id) REFERENCES failure_class(id) ON DELETE RESTRICT,
  constraint jobs_file_hash_fkey FOREIGN KEY (file_hash) REFERENCES files(hash) ON DELETE RESTRICT,
  constraint jobs_kind_id_fkey FOREIGN KEY (kind_id) REFERENCES job_kind(id) ON DELETE RESTRICT,
  constraint jobs_lane_id_fkey FOREIGN KEY (lane_id) REFERENCES lane(id) ON DELETE RESTRICT,
  constraint jobs_lease_node_id_fkey FOREIGN KEY (lease_node_id) REFERENCES server_nodes(id) ON DELETE SET NULL,
  constraint jobs_master_id_fkey FOREIGN KEY (master_id) REFERENCES masters(id) ON DELETE RESTRICT,
  constraint jobs_pinned_worker_id_fkey FOREIGN KEY (pinned_worker_id) REFERENCES workers(id) ON DELETE SET NULL,
  constraint jobs_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id) ON DELETE RESTRICT,
  constraint jobs_seed_id_fkey FOREIGN KEY (seed_id) REFERENCES seeds(id) ON DELETE RESTRICT,
  constraint jobs_status_id_fkey FOREIGN KEY (status_id) REFERENCES job_status(id) ON DELETE RESTRICT,
  constraint jobs_take_id_fkey FOREIGN KEY (take_id) REFERENCES takes(id) ON DELETE RESTRICT,
  constraint jobs_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE SET NULL,
  constraint jobs_worker_id_fkey FOREIGN KEY (worker_id) REFERENCES workers(id) ON DELETE SET NULL,
  constraint jobs_workflow_version_id_fkey FOREIGN KEY (workflow_version_id) REFERENCES workflow_versions(id) ON DELETE RESTRICT,
  constraint jobs_pkey PRIMARY KEY (id)
);
CREATE INDEX jobs_cut_id_idx ON public.jobs USING btree (cut_id) WHERE (cut_id IS NOT NULL);
CREATE INDEX jobs_failure_class_id_idx ON public.jobs USING btree (failure_class_id) WHERE (failure_class_id IS NOT NULL);
CREATE INDEX jobs_file_hash_idx ON public.jobs USING btree (file_hash) WHERE (file_hash IS NOT NULL);
CREATE INDEX jobs_lease_node_id_idx ON public.jobs USING btree (lease_node_id) WHERE (lease_node_id IS NOT NULL);
CREATE INDEX jobs_master_id_idx ON public.jobs USING btree (master_id) WHERE (master_id IS NOT NULL);
CREATE INDEX jobs_of_kind ON public.jobs USING brin (kind_id);
CREATE INDEX jobs_of_project ON public.jobs USING btree (project_id, id DESC) WHERE (project_id IS NOT NULL);
CREATE INDEX jobs_of_user ON public.jobs USING btree (user_id, id DESC) WHERE (user_id IS NOT NULL);
CREATE INDEX jobs_open ON public.jobs USING btree (status_id, lane_id, order_key, id) WHERE (status_id < 5);
CREATE INDEX jobs_pinned_worker_id_idx ON public.jobs USING btree (pinned_worker_id) WHERE (pinned_worker_id IS NOT NULL);
CREATE INDEX jobs_seed_id_idx ON public.jobs USING btree (seed_id) WHERE (seed_id IS NOT NULL);
CREATE UNIQUE INDEX jobs_submitted_once ON public.jobs USING btree (user_id, idempotency_key) NULLS NOT DISTINCT WHERE (idempotency_key IS NOT NULL);
CREATE INDEX jobs_take_id_idx ON public.jobs USING btree (take_id) WHERE (take_id IS NOT NULL);
CREATE INDEX jobs_to_cancel ON public.jobs USING btree (cancel_asked_at) WHERE ((cancel_asked_at IS NOT NULL) AND (status_id < 5));
CREATE INDEX jobs_waiting_share ON public.jobs USING btree (lane_id, user_id, fair_end) WHERE (status_id = ANY (ARRAY[1, 2, 3]));
CREATE INDEX jobs_worker_id_idx ON public.jobs USING btree (worker_id) WHERE (worker_id IS NOT NULL);
CREATE INDEX jobs_workflow_version_id_idx ON public.jobs USING btree (workflow_version_id) WHERE (workflow_version_id IS NOT NULL);
CREATE TRIGGER changed_jobs_are_followed AFTER UPDATE ON public.jobs REFERENCING OLD TABLE AS was NEW TABLE AS became FOR EACH STATEMENT EXECUTE FUNCTION follow_changed_jobs();
CREATE TRIGGER new_jobs_are_followed AFTER INSERT ON public.jobs REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION follow_new_jobs();

create table lane (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint lane_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint lane_pkey PRIMARY KEY (id),
  constraint lane_code_key UNIQUE (code)
);

create table log_level (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint log_level_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint log_level_pkey PRIMARY KEY (id),
  constraint log_level_code_key UNIQUE (code)
);

create table login_throttles (
  key text not null,
  failures integer default 0 not null,
  blocked_until timestamp with time zone,
  updated_at timestamp with time zone default now() not null,
  constraint login_throttles_pkey PRIMARY KEY (key)
);

create table master_items (
  master_id uuid not null,
  "position" smallint not null,
  cut_id uuid not null,
  first_frame integer not null,
  frame_count integer not null,
  constraint master_items_frame_count_check CHECK ((frame_count > 0)),
  constraint master_items_cut_id_fkey FOREIGN KEY (cut_id) REFERENCES cuts(id) ON DELETE RESTRICT,
  constraint master_items_master_id_fkey FOREIGN KEY (master_id) REFERENCES masters(id) ON DELETE CASCADE,
  constraint master_items_pkey PRIMARY KEY (master_id, "position")
);
CREATE INDEX master_items_cut_id_idx ON public.master_items USING btree (cut_id);

create table master_status (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint master_status_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint master_status_pkey PRIMARY KEY (id),
  constraint master_status_code_key UNIQUE (code)
);

create table master_status_transition (
  from_id smallint not null,
  to_id smallint not null,
  constraint master_status_transition_from_id_fkey FOREIGN KEY (from_id) REFERENCES master_status(id) ON DELETE RESTRICT,
  constraint master_status_transition_to_id_fkey FOREIGN KEY (to_id) REFERENCES master_status(id) ON DELETE RESTRICT,
  constraint master_status_transition_pkey PRIMARY KEY (from_id, to_id)
);
CREATE INDEX master_status_transition_to_id_idx ON public.master_status_transition USING btree (to_id);

create table masters (
  id uuid not null,
  scene_id uuid not null,
  number integer not null,
  status_id smallint not null,
  rate_num integer not null,
  rate_den integer not null,
  width_px integer not null,
  height_px integer not null,
  frames integer not null,
  method_id smallint,
  asset_id uuid,
  failure text,
  created_by_id uuid,
  created_at timestamp with time zone default now() not null,
  finished_at timestamp with time zone,
  constraint masters_frames_check CHECK ((frames > 0)),
  constraint masters_number_check CHECK ((number >= 1)),
  constraint masters_rate_den_check CHECK ((rate_den > 0)),
  constraint masters_rate_num_check CHECK ((rate_num > 0)),
  constraint ready_has_file CHECK (((status_id <> 2) OR ((asset_id IS NOT NULL) AND (method_id IS NOT NULL)))),
  constraint masters_asset_id_fkey FOREIGN KEY (asset_id) REFERENCES assets(id) ON DELETE RESTRICT,
  constraint masters_created_by_id_fkey FOREIGN KEY (created_by_id) REFERENCES users(id) ON DELETE SET NULL,
  constraint masters_method_id_fkey FOREIGN KEY (method_id) REFERENCES assembly_method(id) ON DELETE RESTRICT,
  constraint masters_scene_id_fkey FOREIGN KEY (scene_id) REFERENCES scenes(id) ON DELETE RESTRICT,
  constraint masters_status_id_fkey FOREIGN KEY (status_id) REFERENCES master_status(id) ON DELETE RESTRICT,
  constraint masters_pkey PRIMARY KEY (id),
  constraint masters_scene_id_number_key UNIQUE (scene_id, number)
);
CREATE INDEX masters_asset_id_idx ON public.masters USING btree (asset_id);
CREATE INDEX masters_created_by_id_idx ON public.masters USING btree (created_by_id);
CREATE INDEX masters_method_id_idx ON public.masters USING btree (method_id);
CREATE INDEX masters_status_id_idx ON public.masters USING btree (status_id);
CREATE TRIGGER master_status_changes BEFORE UPDATE OF status_id ON public.masters FOR EACH ROW WHEN ((old.status_id IS DISTINCT FROM new.status_id)) EXECUTE FUNCTION enforce_master_status_transition();

create table media_facts (
  file_hash text not null,
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
  reply_json text default (((((((((((((((((('{"container":'::text || json_text(container)) || COALESCE((',"codec":'::text || json_text(codec)), ''::text)) || COALESCE((',"widthPx":'::text || width_px), ''::text)) || COALESCE((',"heightPx":'::text || height_px), ''::text)) || COALESCE((',"rotationDeg":'::text || rotation_deg), ''::text)) || COALESCE((',"pixelFormat":'::text || json_text(pixel_format)), ''::text)) || COALESCE((',"bitDepth":'::text || bit_depth), ''::text)) || COALESCE((',"hasAlpha":'::text || (has_alpha)::text), ''::text)) || COALESCE(((((',"rate":{"num":'::text || rate_num) || ',"den":'::text) || rate_den) || '}'::text), ''::text)) || COALESCE((',"isConstantRate":'::text || (is_constant_rate)::text), ''::text)) || COALESCE((',"frameCount":'::text || frame_count), ''::text)) || COALESCE((',"durationUs":'::text || duration_us), ''::text)) || COALESCE((',"colorPrimaries":'::text || json_text(color_primaries)), ''::text)) || COALESCE((',"colorTransfer":'::text || json_text(color_transfer)), ''::text)) || COALESCE((',"colorMatrix":'::text || json_text(color_matrix)), ''::text)) || COALESCE((',"colorRange":'::text || json_text(color_range)), ''::text)) || COALESCE((',"hasAudio":'::text || (has_audio)::text), ''::text)) || '}'::text) not null,
  constraint rate_is_whole CHECK (((rate_num IS NULL) = (rate_den IS NULL))),
  constraint media_facts_file_hash_fkey FOREIGN KEY (file_hash) REFERENCES files(hash) ON DELETE CASCADE,
  constraint media_facts_pkey PRIMARY KEY (file_hash)
);
CREATE TRIGGER card_follows AFTER INSERT OR DELETE OR UPDATE ON public.media_facts FOR EACH ROW EXECUTE FUNCTION follow_media_facts();

create table media_kind (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint media_kind_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint media_kind_pkey PRIMARY KEY (id),
  constraint media_kind_code_key UNIQUE (code)
);

create table media_type (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  kind_id smallint not null,
  extension text not null,
  constraint media_type_kind_id_fkey FOREIGN KEY (kind_id) REFERENCES media_kind(id) ON DELETE RESTRICT,
  constraint media_type_pkey PRIMARY KEY (id),
  constraint media_type_code_key UNIQUE (code)
);
CREATE INDEX media_type_kind_id_idx ON public.media_type USING btree (kind_id);

create table one_time_link_kind (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint one_time_link_kind_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint one_time_link_kind_pkey PRIMARY KEY (id),
  constraint one_time_link_kind_code_key UNIQUE (code)
);

create table one_time_links (
  id uuid not null,
  kind_id smallint not null,
  token_hash text not null,
  user_id uuid,
  role_id smallint,
  created_by_id uuid,
  created_at timestamp with time zone default now() not null,
  expires_at timestamp with time zone not null,
  used_at timestamp with time zone,
  constraint one_time_links_created_by_id_fkey FOREIGN KEY (created_by_id) REFERENCES users(id) ON DELETE SET NULL,
  constraint one_time_links_kind_id_fkey FOREIGN KEY (kind_id) REFERENCES one_time_link_kind(id) ON DELETE RESTRICT,
  constraint one_time_links_role_id_fkey FOREIGN KEY (role_id) REFERENCES role(id) ON DELETE RESTRICT,
  constraint one_time_links_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE,
  constraint one_time_links_pkey PRIMARY KEY (id),
  constraint one_time_links_token_hash_key UNIQUE (token_hash)
);
CREATE INDEX one_time_links_created_by_id_idx ON public.one_time_links USING btree (created_by_id);
CREATE INDEX one_time_links_kind_id_idx ON public.one_time_links USING btree (kind_id);
CREATE INDEX one_time_links_role_id_idx ON public.one_time_links USING btree (role_id);
CREATE INDEX one_time_links_user_id_idx ON public.one_time_links USING btree (user_id);

create table permission (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint permission_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint permission_pkey PRIMARY KEY (id),
  constraint permission_code_key UNIQUE (code)
);

create table project_members (
  project_id uuid not null,
  user_id uuid not null,
  role_id smallint not null,
  added_by_id uuid,
  added_at timestamp with time zone default now() not null,
  constraint project_members_added_by_id_fkey FOREIGN KEY (added_by_id) REFERENCES users(id) ON DELETE SET NULL,
  constraint project_members_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id) ON DELETE CASCADE,
  constraint project_members_role_id_fkey FOREIGN KEY (role_id) REFERENCES role(id) ON DELETE RESTRICT,
  constraint project_members_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE,
  constraint project_members_pkey PRIMARY KEY (project_id, user_id)
);
CREATE INDEX project_members_added_by_id_idx ON public.project_members USING btree (added_by_id);
CREATE INDEX project_members_role_id_idx ON public.project_members USING btree (role_id);
CREATE INDEX project_members_user_id_idx ON public.project_members USING btree (user_id);

create table project_status (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint project_status_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint project_status_pkey PRIMARY KEY (id),
  constraint project_status_code_key UNIQUE (code)
);

create table project_status_transition (
  from_id smallint not null,
  to_id smallint not null,
  constraint project_status_transition_from_id_fkey FOREIGN KEY (from_id) REFERENCES project_status(id) ON DELETE RESTRICT,
  constraint project_status_transition_to_id_fkey FOREIGN KEY (to_id) REFERENCES project_status(id) ON DELETE RESTRICT,
  constraint project_status_transition_pkey PRIMARY KEY (from_id, to_id)
);
CREATE INDEX project_status_transition_to_id_idx ON public.project_status_transition USING btree (to_id);

create table projects (
  id uuid not null,
  name text not null,
  status_id smallint not null,
  rate_num integer not null,
  rate_den integer not null,
  width_px integer not null,
  height_px integer not null,
  start_frame integer default 86400 not null,
  created_by_id uuid,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  constraint projects_height_px_check CHECK ((((height_px >= 64) AND (height_px <= 8192)) AND ((height_px % 2) = 0))),
  constraint projects_name_check CHECK (((name = btrim(name)) AND ((length(name) >= 1) AND (length(name) <= 120)))),
  constraint projects_rate_den_check CHECK (((rate_den >= 1) AND (rate_den <= 1000000))),
  constraint projects_rate_num_check CHECK (((rate_num >= 1) AND (rate_num <= 1000000))),
  constraint projects_start_frame_check CHECK ((start_frame >= 0)),
  constraint projects_width_px_check CHECK ((((width_px >= 64) AND (width_px <= 8192)) AND ((width_px % 2) = 0))),
  constraint projects_created_by_id_fkey FOREIGN KEY (created_by_id) REFERENCES users(id) ON DELETE SET NULL,
  constraint projects_status_id_fkey FOREIGN KEY (status_id) REFERENCES project_status(id) ON DELETE RESTRICT,
  constraint projects_pkey PRIMARY KEY (id)
);
CREATE INDEX projects_created_by_id_idx ON public.projects USING btree (created_by_id);
CREATE INDEX projects_status_id_idx ON public.projects USING btree (status_id);
CREATE TRIGGER project_status_changes BEFORE UPDATE OF status_id ON public.projects FOR EACH ROW WHEN ((old.status_id IS DISTINCT FROM new.status_id)) EXECUTE FUNCTION enforce_project_status_transition();

create table provenance (
  asset_id uuid not null,
  job_id uuid,
  workflow_version_id uuid,
  worker_id uuid,
  software text not null,
  software_version text not null,
  random_seed bigint,
  graph jsonb,
  parameters jsonb default '{}'::jsonb not null,
  timings jsonb default '{}'::jsonb not null,
  created_at timestamp with time zone default now() not null,
  constraint provenance_asset_id_fkey FOREIGN KEY (asset_id) REFERENCES assets(id) ON DELETE CASCADE,
  constraint provenance_job_id_fkey FOREIGN KEY (job_id) REFERENCES jobs(id) ON DELETE SET NULL,
  constraint provenance_worker_id_fkey FOREIGN KEY (worker_id) REFERENCES workers(id) ON DELETE SET NULL,
  constraint provenance_workflow_version_id_fkey FOREIGN KEY (workflow_version_id) REFERENCES workflow_versions(id) ON DELETE RESTRICT,
  constraint provenance_pkey PRIMARY KEY (asset_id)
);
CREATE INDEX provenance_job_id_idx ON public.provenance USING btree (job_id);
CREATE INDEX provenance_worker_id_idx ON public.provenance USING btree (worker_id);
CREATE INDEX provenance_workflow_version_id_idx ON public.provenance USING btree (workflow_version_id);

create table provenance_inputs (
  asset_id uuid not null,
  file_hash text not null,
  parameter text not null,
  constraint provenance_inputs_asset_id_fkey FOREIGN KEY (asset_id) REFERENCES provenance(asset_id) ON DELETE CASCADE,
  constraint provenance_inputs_file_hash_fkey FOREIGN KEY (file_hash) REFERENCES files(hash) ON DELETE RESTRICT,
  constraint provenance_inputs_pkey PRIMARY KEY (asset_id, parameter)
);
CREATE INDEX provenance_inputs_file_hash_idx ON public.provenance_inputs USING btree (file_hash);

create table queue_pauses (
  id uuid not null,
  lane_id smallint,
  user_id uuid,
  worker_id uuid,
  paused_by_id uuid,
  paused_at timestamp with time zone default now() not null,
  after_job_id uuid,
  constraint pauses_one_thing CHECK ((num_nonnulls(lane_id, user_id, worker_id) = 1)),
  constraint queue_pauses_after_job_id_fkey FOREIGN KEY (after_job_id) REFERENCES jobs(id) ON DELETE SET NULL,
  constraint queue_pauses_lane_id_fkey FOREIGN KEY (lane_id) REFERENCES lane(id) ON DELETE CASCADE,
  constraint queue_pauses_paused_by_id_fkey FOREIGN KEY (paused_by_id) REFERENCES users(id) ON DELETE SET NULL,
  constraint queue_pauses_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE,
  constraint queue_pauses_worker_id_fkey FOREIGN KEY (worker_id) REFERENCES workers(id) ON DELETE CASCADE,
  constraint queue_pauses_pkey PRIMARY KEY (id)
);
CREATE INDEX queue_pauses_after_job_id_idx ON public.queue_pauses USING btree (after_job_id) WHERE (after_job_id IS NOT NULL);
CREATE UNIQUE INDEX queue_pauses_lane_id_idx ON public.queue_pauses USING btree (lane_id) WHERE (lane_id IS NOT NULL);
CREATE INDEX queue_pauses_paused_by_id_idx ON public.queue_pauses USING btree (paused_by_id);
CREATE UNIQUE INDEX queue_pauses_user_id_idx ON public.queue_pauses USING btree (user_id) WHERE (user_id IS NOT NULL);
CREATE UNIQUE INDEX queue_pauses_worker_id_idx ON public.queue_pauses USING btree (worker_id) WHERE (worker_id IS NOT NULL);

create table refresh_tokens (
  id uuid not null,
  session_id uuid not null,
  token_hash text not null,
  issued_at timestamp with time zone default now() not null,
  used_at timestamp with time zone,
  constraint refresh_tokens_session_id_fkey FOREIGN KEY (session_id) REFERENCES sessions(id) ON DELETE CASCADE,
  constraint refresh_tokens_pkey PRIMARY KEY (id),
  constraint refresh_tokens_token_hash_key UNIQUE (token_hash)
);
CREATE UNIQUE INDEX one_live_refresh_token ON public.refresh_tokens USING btree (session_id) WHERE (used_at IS NULL);
CREATE INDEX refresh_tokens_session_id_idx ON public.refresh_tokens USING btree (session_id);

create table retention_class (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint retention_class_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint retention_class_pkey PRIMARY KEY (id),
  constraint retention_class_code_key UNIQUE (code)
);

create table revoke_reason (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint revoke_reason_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint revoke_reason_pkey PRIMARY KEY (id),
  constraint revoke_reason_code_key UNIQUE (code)
);

create table role (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint role_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint role_pkey PRIMARY KEY (id),
  constraint role_code_key UNIQUE (code)
);

create table role_permission (
  role_id smallint not null,
  permission_id smallint not null,
  constraint role_permission_permission_id_fkey FOREIGN KEY (permission_id) REFERENCES permission(id) ON DELETE CASCADE,
  constraint role_permission_role_id_fkey FOREIGN KEY (role_id) REFERENCES role(id) ON DELETE RESTRICT,
  constraint role_permission_pkey PRIMARY KEY (role_id, permission_id)
);
CREATE INDEX role_permission_permission_id_idx ON public.role_permission USING btree (permission_id);

create table scene_status (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint scene_status_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint scene_status_pkey PRIMARY KEY (id),
  constraint scene_status_code_key UNIQUE (code)
);

create table scene_status_transition (
  from_id smallint not null,
  to_id smallint not null,
  constraint scene_status_transition_from_id_fkey FOREIGN KEY (from_id) REFERENCES scene_status(id) ON DELETE RESTRICT,
  constraint scene_status_transition_to_id_fkey FOREIGN KEY (to_id) REFERENCES scene_status(id) ON DELETE RESTRICT,
  constraint scene_status_transition_pkey PRIMARY KEY (from_id, to_id)
);
CREATE INDEX scene_status_transition_to_id_idx ON public.scene_status_transition USING btree (to_id);

create table scenes (
  id uuid not null,
  project_id uuid not null,
  name text not null,
  status_id smallint not null,
  "position" integer not null,
  created_by_id uuid,
  created_at timestamp with time zone default now() not null,
  constraint scenes_name_check CHECK (((name = btrim(name)) AND ((length(name) >= 1) AND (length(name) <= 120)))),
  constraint scenes_created_by_id_fkey FOREIGN KEY (created_by_id) REFERENCES users(id) ON DELETE SET NULL,
  constraint scenes_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id) ON DELETE RESTRICT,
  constraint scenes_status_id_fkey FOREIGN KEY (status_id) REFERENCES scene_status(id) ON DELETE RESTRICT,
  constraint scenes_pkey PRIMARY KEY (id),
  constraint scenes_id_project_id_key UNIQUE (id, project_id),
  constraint scenes_project_id_name_key UNIQUE (project_id, name)
);
CREATE INDEX scenes_by_name ON public.scenes USING gin (name extensions.gin_trgm_ops);
CREATE INDEX scenes_created_by_id_idx ON public.scenes USING btree (created_by_id);
CREATE INDEX scenes_status_id_idx ON public.scenes USING btree (status_id);
CREATE TRIGGER scene_status_changes BEFORE UPDATE OF status_id ON public.scenes FOR EACH ROW WHEN ((old.status_id IS DISTINCT FROM new.status_id)) EXECUTE FUNCTION enforce_scene_status_transition();

create table schema_files (
  name text not null,
  content_hash text not null,
  run_at timestamp with time zone default now() not null,
  constraint schema_files_pkey PRIMARY KEY (name)
);

create table seam_verdict (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint seam_verdict_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint seam_verdict_pkey PRIMARY KEY (id),
  constraint seam_verdict_code_key UNIQUE (code)
);

create table seed_approvals (
  seed_id uuid not null,
  approved_by_id uuid,
  approved_at timestamp with time zone default now() not null,
  file_hash text not null,
  constraint seed_approvals_approved_by_id_fkey FOREIGN KEY (approved_by_id) REFERENCES users(id) ON DELETE SET NULL,
  constraint seed_approvals_file_hash_fkey FOREIGN KEY (file_hash) REFERENCES files(hash) ON DELETE RESTRICT,
  constraint seed_approvals_seed_id_fkey FOREIGN KEY (seed_id) REFERENCES seeds(id) ON DELETE RESTRICT,
  constraint seed_approvals_pkey PRIMARY KEY (seed_id)
);
CREATE INDEX seed_approvals_approved_by_id_idx ON public.seed_approvals USING btree (approved_by_id);
CREATE INDEX seed_approvals_file_hash_idx ON public.seed_approvals USING btree (file_hash);

create table seed_faces (
  seed_id uuid not null,
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
  constraint seed_faces_seed_id_fkey FOREIGN KEY (seed_id) REFERENCES seeds(id) ON DELETE CASCADE,
  constraint seed_faces_pkey PRIMARY KEY (seed_id, index)
);

create table seed_kind (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint seed_kind_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint seed_kind_pkey PRIMARY KEY (id),
  constraint seed_kind_code_key UNIQUE (code)
);

create table seed_measures (
  seed_id uuid not null,
  portrait_seed_id uuid,
  face_model_id uuid,
  likeness real,
  likeness_reason text,
  sharpness real not null,
  mean_lab real[] not null,
  dhash text not null,
  measured_at timestamp with time zone default now() not null,
  constraint seed_measures_mean_lab_check CHECK ((cardinality(mean_lab) = 3)),
  constraint seed_measures_face_model_id_fkey FOREIGN KEY (face_model_id) REFERENCES face_models(id) ON DELETE RESTRICT,
  constraint seed_measures_portrait_seed_id_fkey FOREIGN KEY (portrait_seed_id) REFERENCES seeds(id) ON DELETE SET NULL,
  constraint seed_measures_seed_id_fkey FOREIGN KEY (seed_id) REFERENCES seeds(id) ON DELETE CASCADE,
  constraint seed_measures_pkey PRIMARY KEY (seed_id)
);
CREATE INDEX seed_measures_face_model_id_idx ON public.seed_measures USING btree (face_model_id);
CREATE INDEX seed_measures_portrait_seed_id_idx ON public.seed_measures USING btree (portrait_seed_id);

create table seed_origin (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint seed_origin_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint seed_origin_pkey PRIMARY KEY (id),
  constraint seed_origin_code_key UNIQUE (code)
);

create table seed_status (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint seed_status_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint seed_status_pkey PRIMARY KEY (id),
  constraint seed_status_code_key UNIQUE (code)
);

create table seed_status_transition (
  from_id smallint not null,
  to_id smallint not null,
  constraint seed_status_transition_from_id_fkey FOREIGN KEY (from_id) REFERENCES seed_status(id) ON DELETE RESTRICT,
  constraint seed_status_transition_to_id_fkey FOREIGN KEY (to_id) REFERENCES seed_status(id) ON DELETE RESTRICT,
  constraint seed_status_transition_pkey PRIMARY KEY (from_id, to_id)
);
CREATE INDEX seed_status_transition_to_id_idx ON public.seed_status_transition USING btree (to_id);

create table seeds (
  id uuid not null,
  project_id uuid not null,
  character_id uuid not null,
  kind_id smallint not null,
  origin_id smallint not null,
  status_id smallint not null,
  asset_id uuid,
  derived_from_seed_id uuid,
  replaces_seed_id uuid,
  batch_id uuid,
  random_seed bigint,
  rating smallint,
  failure text,
  stale_at timestamp with time zone,
  created_by_id uuid,
  created_at timestamp with time zone default now() not null,
  constraint derived_has_source CHECK (((origin_id = 1) OR (derived_from_seed_id IS NOT NULL))),
  constraint made_has_asset CHECK (((status_id = ANY (ARRAY[1, 6, 7])) OR (asset_id IS NOT NULL))),
  constraint seeds_random_seed_check CHECK (((random_seed >= 0) AND (random_seed <= '9007199254740991'::bigint))),
  constraint seeds_rating_check CHECK (((rating >= 1) AND (rating <= 5))),
  constraint seeds_asset_id_fkey FOREIGN KEY (asset_id) REFERENCES assets(id) ON DELETE RESTRICT,
  constraint seeds_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES variation_batches(id) ON DELETE RESTRICT,
  constraint seeds_character_id_project_id_fkey FOREIGN KEY (character_id, project_id) REFERENCES characters(id, project_id) ON DELETE RESTRICT,
  constraint seeds_created_by_id_fkey FOREIGN KEY (created_by_id) REFERENCES users(id) ON DELETE SET NULL,
  constraint seeds_derived_from_seed_id_fkey FOREIGN KEY (derived_from_seed_id) REFERENCES seeds(id) ON DELETE RESTRICT,
  constraint seeds_kind_id_fkey FOREIGN KEY (kind_id) REFERENCES seed_kind(id) ON DELETE RESTRICT,
  constraint seeds_origin_id_fkey FOREIGN KEY (origin_id) REFERENCES seed_origin(id) ON DELETE RESTRICT,
  constraint seeds_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id) ON DELETE RESTRICT,
  constraint seeds_replaces_seed_id_fkey FOREIGN KEY (replaces_seed_id) REFERENCES seeds(id) ON DELETE RESTRICT,
  constraint seeds_status_id_fkey FOREIGN KEY (status_id) REFERENCES seed_status(id) ON DELETE RESTRICT,
  constraint seeds_pkey PRIMARY KEY (id)
);
CREATE UNIQUE INDEX one_hero_per_batch ON public.seeds USING btree (batch_id) WHERE (status_id = 5);
CREATE INDEX seeds_asset_id_idx ON public.seeds USING btree (asset_id);
CREATE INDEX seeds_batch_id_idx ON public.seeds USING btree (batch_id);
CREATE INDEX seeds_created_by_id_idx ON public.seeds USING btree (created_by_id);
CREATE INDEX seeds_derived_from_seed_id_idx ON public.seeds USING btree (derived_from_seed_id);
CREATE INDEX seeds_kind_id_idx ON public.seeds USING btree (kind_id);
CREATE INDEX seeds_of_character ON public.seeds USING btree (character_id, project_id, id DESC);
CREATE INDEX seeds_origin_id_idx ON public.seeds USING btree (origin_id);
CREATE INDEX seeds_project_id_idx ON public.seeds USING btree (project_id);
CREATE INDEX seeds_replaces_seed_id_idx ON public.seeds USING btree (replaces_seed_id);
CREATE INDEX seeds_status_id_idx ON public.seeds USING btree (status_id);
CREATE TRIGGER seed_status_changes BEFORE UPDATE OF status_id ON public.seeds FOR EACH ROW WHEN ((old.status_id IS DISTINCT FROM new.status_id)) EXECUTE FUNCTION enforce_seed_status_transition();

create table segment_status (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint segment_status_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint segment_status_pkey PRIMARY KEY (id),
  constraint segment_status_code_key UNIQUE (code)
);

create table segment_status_transition (
  from_id smallint not null,
  to_id smallint not null,
  constraint segment_status_transition_from_id_fkey FOREIGN KEY (from_id) REFERENCES segment_status(id) ON DELETE RESTRICT,
  constraint segment_status_transition_to_id_fkey FOREIGN KEY (to_id) REFERENCES segment_status(id) ON DELETE RESTRICT,
  constraint segment_status_transition_pkey PRIMARY KEY (from_id, to_id)
);
CREATE INDEX segment_status_transition_to_id_idx ON public.segment_status_transition USING btree (to_id);

create table segments (
  id uuid not null,
  clip_id uuid not null,
  index smallint not null,
  status_id smallint not null,
  prompt text,
  locked_at timestamp with time zone,
  created_at timestamp with time zone default now() not null,
  random_seed bigint,
  asked_frames integer,
  remake_frames integer,
  constraint segments_asked_frames_check CHECK (((asked_frames >= 1) AND (asked_frames <= 200000))),
  constraint segments_index_check CHECK ((index >= 1)),
  constraint segments_random_seed_check CHECK (((random_seed >= 0) AND (random_seed <= '9007199254740991'::bigint))),
  constraint segments_remake_frames_check CHECK ((remake_frames > 0)),
  constraint segments_clip_id_fkey FOREIGN KEY (clip_id) REFERENCES clips(id) ON DELETE RESTRICT,
  constraint segments_status_id_fkey FOREIGN KEY (status_id) REFERENCES segment_status(id) ON DELETE RESTRICT,
  constraint segments_pkey PRIMARY KEY (id),
  constraint segments_clip_id_index_key UNIQUE (clip_id, index)
);
CREATE INDEX segments_status_id_idx ON public.segments USING btree (status_id);
CREATE TRIGGER segment_status_changes BEFORE UPDATE OF status_id ON public.segments FOR EACH ROW WHEN ((old.status_id IS DISTINCT FROM new.status_id)) EXECUTE FUNCTION enforce_segment_status_transition();

create table server_nodes (
  id uuid not null,
  host text not null,
  pid integer not null,
  version text not null,
  started_at timestamp with time zone default now() not null,
  heartbeat_at timestamp with time zone default now() not null,
  stopped_at timestamp with time zone,
  constraint server_nodes_pkey PRIMARY KEY (id)
);

create table sessions (
  id uuid not null,
  user_id uuid not null,
  created_at timestamp with time zone default now() not null,
  last_used_at timestamp with time zone default now() not null,
  expires_at timestamp with time zone not null,
  revoked_at timestamp with time zone,
  revoke_reason_id smallint,
  ip inet,
  user_agent text,
  constraint revoked_has_reason CHECK (((revoked_at IS NULL) = (revoke_reason_id IS NULL))),
  constraint sessions_revoke_reason_id_fkey FOREIGN KEY (revoke_reason_id) REFERENCES revoke_reason(id) ON DELETE RESTRICT,
  constraint sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE,
  constraint sessions_pkey PRIMARY KEY (id)
);
CREATE INDEX sessions_revoke_reason_id_idx ON public.sessions USING btree (revoke_reason_id);
CREATE INDEX sessions_user_id_revoked_at_idx ON public.sessions USING btree (user_id, revoked_at);

create table setting_kind (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint setting_kind_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint setting_kind_pkey PRIMARY KEY (id),
  constraint setting_kind_code_key UNIQUE (code)
);

create table settings (
  code text not null,
  kind_id smallint not null,
  value jsonb not null,
  updated_by_id uuid,
  updated_at timestamp with time zone default now() not null,
  constraint settings_kind_id_fkey FOREIGN KEY (kind_id) REFERENCES setting_kind(id) ON DELETE RESTRICT,
  constraint settings_updated_by_id_fkey FOREIGN KEY (updated_by_id) REFERENCES users(id) ON DELETE SET NULL,
  constraint settings_pkey PRIMARY KEY (code)
);
CREATE INDEX settings_kind_id_idx ON public.settings USING btree (kind_id);
CREATE INDEX settings_updated_by_id_idx ON public.settings USING btree (updated_by_id);

create table signing_keys (
  id uuid not null,
  secret text not null,
  created_at timestamp with time zone default now() not null,
  retired_at timestamp with time zone,
  constraint signing_keys_pkey PRIMARY KEY (id)
);

create table subject_kind (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint subject_kind_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint subject_kind_pkey PRIMARY KEY (id),
  constraint subject_kind_code_key UNIQUE (code)
);

create table take_curves (
  take_id uuid not null,
  motion real[] not null,
  motion2 real[] not null,
  sharpness real[] not null,
  mean_luma real[] not null,
  mean_lab real[] not null,
  noise_floor real not null,
  constraint take_curves_take_id_fkey FOREIGN KEY (take_id) REFERENCES takes(id) ON DELETE CASCADE,
  constraint take_curves_pkey PRIMARY KEY (take_id)
);

create table take_likeness (
  take_id uuid not null,
  face_model_id uuid not null,
  median real,
  min real,
  coverage real not null,
  portrait_hash text,
  constraint take_likeness_coverage_check CHECK (((coverage >= (0)::double precision) AND (coverage <= (1)::double precision))),
  constraint take_likeness_face_model_id_fkey FOREIGN KEY (face_model_id) REFERENCES face_models(id) ON DELETE RESTRICT,
  constraint take_likeness_portrait_hash_fkey FOREIGN KEY (portrait_hash) REFERENCES files(hash) ON DELETE RESTRICT,
  constraint take_likeness_take_id_fkey FOREIGN KEY (take_id) REFERENCES takes(id) ON DELETE CASCADE,
  constraint take_likeness_pkey PRIMARY KEY (take_id)
);
CREATE INDEX take_likeness_face_model_id_idx ON public.take_likeness USING btree (face_model_id);
CREATE INDEX take_likeness_portrait_hash_idx ON public.take_likeness USING btree (portrait_hash);

create table take_likeness_points (
  take_id uuid not null,
  frame integer not null,
  score real,
  constraint take_likeness_points_take_id_fkey FOREIGN KEY (take_id) REFERENCES takes(id) ON DELETE CASCADE,
  constraint take_likeness_points_pkey PRIMARY KEY (take_id, frame)
);

create table take_status (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint take_status_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint take_status_pkey PRIMARY KEY (id),
  constraint take_status_code_key UNIQUE (code)
);

create table take_status_transition (
  from_id smallint not null,
  to_id smallint not null,
  constraint take_status_transition_from_id_fkey FOREIGN KEY (from_id) REFERENCES take_status(id) ON DELETE RESTRICT,
  constraint take_status_transition_to_id_fkey FOREIGN KEY (to_id) REFERENCES take_status(id) ON DELETE RESTRICT,
  constraint take_status_transition_pkey PRIMARY KEY (from_id, to_id)
);
CREATE INDEX take_status_transition_to_id_idx ON public.take_status_transition USING btree (to_id);

create table takes (
  id uuid not null,
  segment_id uuid not null,
  number integer not null,
  status_id smallint not null,
  random_seed bigint not null,
  workflow_version_id uuid not null,
  starts_from_take_id uuid,
  start_file_hash text not null,
  rate_num integer not null,
  rate_den integer not null,
  generate_frames integer not null,
  drop_head smallint not null,
  target_end integer not null,
  end_window integer not null,
  is_end_exact boolean not null,
  raw_asset_id uuid,
  intermediate_asset_id uuid,
  end_image_asset_id uuid,
  width_px integer,
  height_px integer,
  frame_count integer,
  end_frame integer,
  end_score real,
  stability real,
  gate_verdict_id smallint,
  gate_reasons text[] default '{}'::text[] not null,
  failure text,
  chosen_at timestamp with time zone,
  stale_at timestamp with time zone,
  created_by_id uuid,
  created_at timestamp with time zone default now() not null,
  finished_at timestamp with time zone,
  last_image_hash text,
  retimed_frames integer,
  chosen_by_id uuid,
  constraint chosen_is_ready CHECK (((chosen_at IS NULL) OR (status_id = 4))),
  constraint end_is_inside CHECK (((end_frame IS NULL) OR ((end_frame >= 0) AND (end_frame <= (frame_count - 1))))),
  constraint only_chosen_by_someone CHECK (((chosen_by_id IS NULL) OR (chosen_at IS NOT NULL))),
  constraint ready_is_whole CHECK (((status_id <> 4) OR ((intermediate_asset_id IS NOT NULL) AND (end_frame IS NOT NULL) AND (frame_count IS NOT NULL) AND (end_image_asset_id IS NOT NULL)))),
  constraint takes_drop_head_check CHECK ((drop_head >= 0)),
  constraint takes_end_window_check CHECK ((end_window >= 0)),
  constraint takes_generate_frames_check CHECK ((generate_frames > 0)),
  constraint takes_number_check CHECK ((number >= 1)),
  constraint takes_random_seed_check CHECK (((random_seed >= 0) AND (random_seed <= '9007199254740991'::bigint))),
  constraint takes_rate_den_check CHECK ((rate_den > 0)),
  constraint takes_rate_num_check CHECK ((rate_num > 0)),
  constraint takes_retimed_frames_check CHECK ((retimed_frames > 0)),
  constraint takes_target_end_check CHECK ((target_end >= 0)),
  constraint takes_chosen_by_id_fkey FOREIGN KEY (chosen_by_id) REFERENCES users(id) ON DELETE SET NULL,
  constraint takes_created_by_id_fkey FOREIGN KEY (created_by_id) REFERENCES users(id) ON DELETE SET NULL,
  constraint takes_end_image_asset_id_fkey FOREIGN KEY (end_image_asset_id) REFERENCES assets(id) ON DELETE RESTRICT,
  constraint takes_gate_verdict_id_fkey FOREIGN KEY (gate_verdict_id) REFERENCES gate_verdict(id) ON DELETE RESTRICT,
  constraint takes_intermediate_asset_id_fkey FOREIGN KEY (intermediate_asset_id) REFERENCES assets(id) ON DELETE RESTRICT,
  constraint takes_last_image_hash_fkey FOREIGN KEY (last_image_hash) REFERENCES files(hash) ON DELETE RESTRICT,
  constraint takes_raw_asset_id_fkey FOREIGN KEY (raw_asset_id) REFERENCES assets(id) ON DELETE RESTRICT,
  constraint takes_segment_id_fkey FOREIGN KEY (segment_id) REFERENCES segments(id) ON DELETE RESTRICT,
  constraint takes_start_file_hash_fkey FOREIGN KEY (start_file_hash) REFERENCES files(hash) ON DELETE RESTRICT,
  constraint takes_starts_from_take_id_fkey FOREIGN KEY (starts_from_take_id) REFERENCES takes(id) ON DELETE RESTRICT,
  constraint takes_status_id_fkey FOREIGN KEY (status_id) REFERENCES take_status(id) ON DELETE RESTRICT,
  constraint takes_workflow_version_id_fkey FOREIGN KEY (workflow_version_id) REFERENCES workflow_versions(id) ON DELETE RESTRICT,
  constraint takes_pkey PRIMARY KEY (id),
  constraint takes_segment_id_number_key UNIQUE (segment_id, number)
);
CREATE UNIQUE INDEX one_chosen_take ON public.takes USING btree (segment_id) WHERE (chosen_at IS NOT NULL);
CREATE UNIQUE INDEX one_open_take ON public.takes USING btree (segment_id) WHERE (status_id = ANY (ARRAY[1, 2, 3]));
CREATE INDEX takes_chosen_by_id_idx ON public.takes USING btree (chosen_by_id);
CREATE INDEX takes_created_by_id_idx ON public.takes USING btree (created_by_id);
CREATE INDEX takes_end_image_asset_id_idx ON public.takes USING btree (end_image_asset_id);
CREATE INDEX takes_gate_verdict_id_idx ON public.takes USING btree (gate_verdict_id);
CREATE INDEX takes_intermediate_asset_id_idx ON public.takes USING btree (intermediate_asset_id);
CREATE INDEX takes_last_image_hash_idx ON public.takes USING btree (last_image_hash);
CREATE INDEX takes_raw_asset_id_idx ON public.takes USING btree (raw_asset_id);
CREATE INDEX takes_start_file_hash_idx ON public.takes USING btree (start_file_hash);
CREATE INDEX takes_starts_from_take_id_idx ON public.takes USING btree (starts_from_take_id);
CREATE INDEX takes_status_id_idx ON public.takes USING btree (status_id);
CREATE INDEX takes_workflow_version_id_idx ON public.takes USING btree (workflow_version_id);
CREATE TRIGGER take_needs_hero BEFORE INSERT ON public.takes FOR EACH ROW EXECUTE FUNCTION refuse_take_without_hero();
CREATE TRIGGER take_status_changes BEFORE UPDATE OF status_id ON public.takes FOR EACH ROW WHEN ((old.status_id IS DISTINCT FROM new.status_id)) EXECUTE FUNCTION enforce_take_status_transition();

create table token_scope (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint token_scope_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint token_scope_pkey PRIMARY KEY (id),
  constraint token_scope_code_key UNIQUE (code)
);

create table token_scope_permission (
  scope_id smallint not null,
  permission_id smallint not null,
  constraint token_scope_permission_permission_id_fkey FOREIGN KEY (permission_id) REFERENCES permission(id) ON DELETE CASCADE,
  constraint token_scope_permission_scope_id_fkey FOREIGN KEY (scope_id) REFERENCES token_scope(id) ON DELETE CASCADE,
  constraint token_scope_permission_pkey PRIMARY KEY (scope_id, permission_id)
);
CREATE INDEX token_scope_permission_permission_id_idx ON public.token_scope_permission USING btree (permission_id);

create table user_status (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint user_status_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint user_status_pkey PRIMARY KEY (id),
  constraint user_status_code_key UNIQUE (code)
);

create table user_status_transition (
  from_id smallint not null,
  to_id smallint not null,
  constraint user_status_transition_from_id_fkey FOREIGN KEY (from_id) REFERENCES user_status(id) ON DELETE RESTRICT,
  constraint user_status_transition_to_id_fkey FOREIGN KEY (to_id) REFERENCES user_status(id) ON DELETE RESTRICT,
  constraint user_status_transition_pkey PRIMARY KEY (from_id, to_id)
);
CREATE INDEX user_status_transition_to_id_idx ON public.user_status_transition USING btree (to_id);

create table users (
  id uuid not null,
  login text not null,
  display_name text not null,
  password_hash text,
  role_id smallint not null,
  status_id smallint not null,
  token_version integer default 0 not null,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  constraint users_display_name_check CHECK (((length(display_name) >= 1) AND (length(display_name) <= 120))),
  constraint users_login_check CHECK (((login = btrim(login)) AND ((length(login) >= 1) AND (length(login) <= 120)))),
  constraint users_role_id_fkey FOREIGN KEY (role_id) REFERENCES role(id) ON DELETE RESTRICT,
  constraint users_status_id_fkey FOREIGN KEY (status_id) REFERENCES user_status(id) ON DELETE RESTRICT,
  constraint users_pkey PRIMARY KEY (id)
);
CREATE UNIQUE INDEX users_login_is_unique ON public.users USING btree (lower(login));
CREATE INDEX users_role_id_idx ON public.users USING btree (role_id);
CREATE INDEX users_status_id_idx ON public.users USING btree (status_id);
CREATE TRIGGER user_status_changes BEFORE UPDATE OF status_id ON public.users FOR EACH ROW WHEN ((old.status_id IS DISTINCT FROM new.status_id)) EXECUTE FUNCTION enforce_user_status_transition();

create table variation_batches (
  id uuid not null,
  project_id uuid not null,
  character_id uuid not null,
  portrait_seed_id uuid not null,
  workflow_version_id uuid not null,
  base_random_seed bigint not null,
  asked_count smallint not null,
  prompt text default ''::text not null,
  created_by_id uuid,
  created_at timestamp with time zone default now() not null,
  constraint variation_batches_asked_count_check CHECK (((asked_count >= 1) AND (asked_count <= 64))),
  constraint variation_batches_base_random_seed_check CHECK (((base_random_seed >= 0) AND (base_random_seed <= '9007199254740991'::bigint))),
  constraint variation_batches_character_id_fkey FOREIGN KEY (character_id) REFERENCES characters(id) ON DELETE RESTRICT,
  constraint variation_batches_created_by_id_fkey FOREIGN KEY (created_by_id) REFERENCES users(id) ON DELETE SET NULL,
  constraint variation_batches_portrait_seed_id_fkey FOREIGN KEY (portrait_seed_id) REFERENCES seeds(id) ON DELETE RESTRICT,
  constraint variation_batches_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id) ON DELETE RESTRICT,
  constraint variation_batches_workflow_version_id_fkey FOREIGN KEY (workflow_version_id) REFERENCES workflow_versions(id) ON DELETE RESTRICT,
  constraint variation_batches_pkey PRIMARY KEY (id)
);
CREATE INDEX variation_batches_character_id_idx ON public.variation_batches USING btree (character_id);
CREATE INDEX variation_batches_created_by_id_idx ON public.variation_batches USING btree (created_by_id);
CREATE INDEX variation_batches_portrait_seed_id_idx ON public.variation_batches USING btree (portrait_seed_id);
CREATE INDEX variation_batches_project_id_idx ON public.variation_batches USING btree (project_id);
CREATE INDEX variation_batches_workflow_version_id_idx ON public.variation_batches USING btree (workflow_version_id);

create table worker_capabilities (
  worker_id uuid not null,
  workflow_version_id uuid not null,
  is_able boolean not null,
  missing text[] default '{}'::text[] not null,
  checked_at timestamp with time zone default now() not null,
  constraint worker_capabilities_worker_id_fkey FOREIGN KEY (worker_id) REFERENCES workers(id) ON DELETE CASCADE,
  constraint worker_capabilities_workflow_version_id_fkey FOREIGN KEY (workflow_version_id) REFERENCES workflow_versions(id) ON DELETE CASCADE,
  constraint worker_capabilities_pkey PRIMARY KEY (worker_id, workflow_version_id)
);
CREATE INDEX worker_capabilities_workflow_version_id_idx ON public.worker_capabilities USING btree (workflow_version_id);

create table worker_change_items (
  change_id uuid not null,
  kind_id smallint not null,
  name text not null,
  constraint worker_change_items_change_id_fkey FOREIGN KEY (change_id) REFERENCES worker_changes(id) ON DELETE CASCADE,
  constraint worker_change_items_kind_id_fkey FOREIGN KEY (kind_id) REFERENCES worker_change_kind(id) ON DELETE RESTRICT,
  constraint worker_change_items_pkey PRIMARY KEY (change_id, kind_id, name)
);
CREATE INDEX worker_change_items_kind_id_idx ON public.worker_change_items USING btree (kind_id);

create table worker_change_kind (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint worker_change_kind_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint worker_change_kind_pkey PRIMARY KEY (id),
  constraint worker_change_kind_code_key UNIQUE (code)
);

create table worker_changes (
  id uuid not null,
  worker_id uuid not null,
  at timestamp with time zone default now() not null,
  version_before text,
  version_after text,
  constraint worker_changes_worker_id_fkey FOREIGN KEY (worker_id) REFERENCES workers(id) ON DELETE CASCADE,
  constraint worker_changes_pkey PRIMARY KEY (id)
);
CREATE INDEX worker_changes_worker_id_at_idx ON public.worker_changes USING btree (worker_id, at);

create table worker_command_kind (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint worker_command_kind_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint worker_command_kind_pkey PRIMARY KEY (id),
  constraint worker_command_kind_code_key UNIQUE (code)
);

create table worker_commands (
  worker_id uuid not null,
  kind_id smallint not null,
  host text not null,
  args text[] not null,
  folder text,
  environment text[] default '{}'::text[] not null,
  is_wanted boolean default true not null,
  changed_at timestamp with time zone default now() not null,
  constraint worker_commands_args_check CHECK (((cardinality(args) >= 1) AND (cardinality(args) <= 200))),
  constraint worker_commands_environment_check CHECK ((cardinality(environment) <= 100)),
  constraint worker_commands_folder_check CHECK (((length(folder) >= 1) AND (length(folder) <= 4096))),
  constraint worker_commands_host_check CHECK (((length(host) >= 1) AND (length(host) <= 255))),
  constraint worker_commands_kind_id_fkey FOREIGN KEY (kind_id) REFERENCES worker_command_kind(id) ON DELETE RESTRICT,
  constraint worker_commands_worker_id_fkey FOREIGN KEY (worker_id) REFERENCES workers(id) ON DELETE CASCADE,
  constraint worker_commands_pkey PRIMARY KEY (worker_id, kind_id)
);
CREATE INDEX worker_commands_kind_id_idx ON public.worker_commands USING btree (kind_id);

create table worker_devices (
  worker_id uuid not null,
  "position" smallint not null,
  name text not null,
  vram_total_bytes bigint,
  constraint worker_devices_worker_id_fkey FOREIGN KEY (worker_id) REFERENCES workers(id) ON DELETE CASCADE,
  constraint worker_devices_pkey PRIMARY KEY (worker_id, "position")
);

create table worker_kind (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint worker_kind_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint worker_kind_pkey PRIMARY KEY (id),
  constraint worker_kind_code_key UNIQUE (code)
);

create table worker_models (
  worker_id uuid not null,
  folder text not null,
  name text not null,
  size_bytes bigint,
  constraint worker_models_worker_id_fkey FOREIGN KEY (worker_id) REFERENCES workers(id) ON DELETE CASCADE,
  constraint worker_models_pkey PRIMARY KEY (worker_id, folder, name)
);

create table worker_nodes (
  worker_id uuid not null,
  class_name text not null,
  digest text not null,
  constraint worker_nodes_worker_id_fkey FOREIGN KEY (worker_id) REFERENCES workers(id) ON DELETE CASCADE,
  constraint worker_nodes_pkey PRIMARY KEY (worker_id, class_name)
);

create table worker_order_kind (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint worker_order_kind_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint worker_order_kind_pkey PRIMARY KEY (id),
  constraint worker_order_kind_code_key UNIQUE (code)
);

create table worker_order_outcome (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint worker_order_outcome_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint worker_order_outcome_pkey PRIMARY KEY (id),
  constraint worker_order_outcome_code_key UNIQUE (code)
);

create table worker_orders (
  id uuid not null,
  worker_id uuid not null,
  kind_id smallint not null,
  asked_by_id uuid,
  asked_at timestamp with time zone default now() not null,
  reason text not null,
  begun_at timestamp with time zone,
  ended_at timestamp with time zone,
  outcome_id smallint,
  note text,
  constraint ended_has_outcome CHECK (((ended_at IS NULL) = (outcome_id IS NULL))),
  constraint worker_orders_asked_by_id_fkey FOREIGN KEY (asked_by_id) REFERENCES users(id) ON DELETE SET NULL,
  constraint worker_orders_kind_id_fkey FOREIGN KEY (kind_id) REFERENCES worker_order_kind(id) ON DELETE RESTRICT,
  constraint worker_orders_outcome_id_fkey FOREIGN KEY (outcome_id) REFERENCES worker_order_outcome(id) ON DELETE RESTRICT,
  constraint worker_orders_worker_id_fkey FOREIGN KEY (worker_id) REFERENCES workers(id) ON DELETE CASCADE,
  constraint worker_orders_pkey PRIMARY KEY (id)
);
CREATE INDEX worker_orders_asked_by_id_idx ON public.worker_orders USING btree (asked_by_id);
CREATE INDEX worker_orders_kind_id_idx ON public.worker_orders USING btree (kind_id);
CREATE INDEX worker_orders_open ON public.worker_orders USING btree (worker_id) WHERE (ended_at IS NULL);
CREATE INDEX worker_orders_outcome_id_idx ON public.worker_orders USING btree (outcome_id);
CREATE INDEX worker_orders_worker_id_asked_at_idx ON public.worker_orders USING btree (worker_id, asked_at);

create table worker_paces (
  worker_id uuid not null,
  workflow_version_id uuid not null,
  step_ms real[] not null,
  rest_ms real[] not null,
  constraint worker_paces_worker_id_fkey FOREIGN KEY (worker_id) REFERENCES workers(id) ON DELETE CASCADE,
  constraint worker_paces_workflow_version_id_fkey FOREIGN KEY (workflow_version_id) REFERENCES workflow_versions(id) ON DELETE CASCADE,
  constraint worker_paces_pkey PRIMARY KEY (worker_id, workflow_version_id)
);
CREATE INDEX worker_paces_workflow_version_id_idx ON public.worker_paces USING btree (workflow_version_id);

create table worker_status (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint worker_status_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint worker_status_pkey PRIMARY KEY (id),
  constraint worker_status_code_key UNIQUE (code)
);

create table worker_status_transition (
  from_id smallint not null,
  to_id smallint not null,
  constraint worker_status_transition_from_id_fkey FOREIGN KEY (from_id) REFERENCES worker_status(id) ON DELETE RESTRICT,
  constraint worker_status_transition_to_id_fkey FOREIGN KEY (to_id) REFERENCES worker_status(id) ON DELETE RESTRICT,
  constraint worker_status_transition_pkey PRIMARY KEY (from_id, to_id)
);
CREATE INDEX worker_status_transition_to_id_idx ON public.worker_status_transition USING btree (to_id);

create table worker_vitals (
  worker_id uuid not null,
  at timestamp with time zone not null,
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
  cpu_percent real,
  disk_used_bytes bigint,
  disk_total_bytes bigint,
  received_bytes_per_second real,
  sent_bytes_per_second real,
  constraint worker_vitals_worker_id_fkey FOREIGN KEY (worker_id) REFERENCES workers(id) ON DELETE CASCADE,
  constraint worker_vitals_pkey PRIMARY KEY (worker_id, at)
);

create table workers (
  id uuid not null,
  name text not null,
  kind_id smallint not null,
  status_id smallint not null,
  url text not null,
  software text,
  version text,
  owner_node_id uuid,
  last_seen_at timestamp with time zone,
  last_error text,
  capability_hash text,
  max_parallel smallint default 1 not null,
  created_by_id uuid,
  created_at timestamp with time zone default now() not null,
  removed_at timestamp with time zone,
  watch_up_to_id smallint default 4,
  pause_at_celsius smallint,
  resume_at_celsius smallint,
  min_free_vram_bytes bigint,
  manager text,
  owner_epoch integer default 0 not null,
  constraint cools_down CHECK ((((pause_at_celsius IS NULL) = (resume_at_celsius IS NULL)) AND (resume_at_celsius < pause_at_celsius))),
  constraint removed_is_disabled CHECK (((removed_at IS NULL) OR (status_id = 6))),
  constraint workers_max_parallel_check CHECK (((max_parallel >= 1) AND (max_parallel <= 8))),
  constraint workers_min_free_vram_bytes_check CHECK ((min_free_vram_bytes > 0)),
  constraint workers_name_check CHECK (((length(name) >= 1) AND (length(name) <= 80))),
  constraint workers_pause_at_celsius_check CHECK (((pause_at_celsius >= 30) AND (pause_at_celsius <= 120))),
  constraint workers_watch_up_to_id_check CHECK (((watch_up_to_id >= 1) AND (watch_up_to_id <= 4))),
  constraint workers_created_by_id_fkey FOREIGN KEY (created_by_id) REFERENCES users(id) ON DELETE SET NULL,
  constraint workers_kind_id_fkey FOREIGN KEY (kind_id) REFERENCES worker_kind(id) ON DELETE RESTRICT,
  constraint workers_owner_node_id_fkey FOREIGN KEY (owner_node_id) REFERENCES server_nodes(id) ON DELETE SET NULL,
  constraint workers_status_id_fkey FOREIGN KEY (status_id) REFERENCES worker_status(id) ON DELETE RESTRICT,
  constraint workers_watch_up_to_id_fkey FOREIGN KEY (watch_up_to_id) REFERENCES worker_order_kind(id) ON DELETE RESTRICT,
  constraint workers_pkey PRIMARY KEY (id)
);
CREATE INDEX workers_created_by_id_idx ON public.workers USING btree (created_by_id);
CREATE INDEX workers_kind_id_idx ON public.workers USING btree (kind_id);
CREATE UNIQUE INDEX workers_named ON public.workers USING btree (name) WHERE (removed_at IS NULL);
CREATE INDEX workers_owner_node_id_idx ON public.workers USING btree (owner_node_id);
CREATE INDEX workers_status_id_idx ON public.workers USING btree (status_id);
CREATE INDEX workers_watch_up_to_id_idx ON public.workers USING btree (watch_up_to_id);
CREATE TRIGGER worker_status_changes BEFORE UPDATE OF status_id ON public.workers FOR EACH ROW WHEN ((old.status_id IS DISTINCT FROM new.status_id)) EXECUTE FUNCTION enforce_worker_status_transition();

create table workflow_memory (
  workflow_version_id uuid not null,
  recent_bytes bigint[] not null,
  updated_at timestamp with time zone default now() not null,
  constraint workflow_memory_recent_bytes_check CHECK (((cardinality(recent_bytes) >= 1) AND (cardinality(recent_bytes) <= 20))),
  constraint workflow_memory_workflow_version_id_fkey FOREIGN KEY (workflow_version_id) REFERENCES workflow_versions(id) ON DELETE CASCADE,
  constraint workflow_memory_pkey PRIMARY KEY (workflow_version_id)
);

create table workflow_role (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint workflow_role_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint workflow_role_pkey PRIMARY KEY (id),
  constraint workflow_role_code_key UNIQUE (code)
);

create table workflow_source (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint workflow_source_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint workflow_source_pkey PRIMARY KEY (id),
  constraint workflow_source_code_key UNIQUE (code)
);

create table workflow_status (
  id smallint not null,
  code text not null,
  label text not null,
  sort smallint default 0 not null,
  retired_at timestamp with time zone,
  constraint workflow_status_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.:/+-]*$'::text)),
  constraint workflow_status_pkey PRIMARY KEY (id),
  constraint workflow_status_code_key UNIQUE (code)
);

create table workflow_status_transition (
  from_id smallint not null,
  to_id smallint not null,
  constraint workflow_status_transition_from_id_fkey FOREIGN KEY (from_id) REFERENCES workflow_status(id) ON DELETE RESTRICT,
  constraint workflow_status_transition_to_id_fkey FOREIGN KEY (to_id) REFERENCES workflow_status(id) ON DELETE RESTRICT,
  constraint workflow_status_transition_pkey PRIMARY KEY (from_id, to_id)
);
CREATE INDEX workflow_status_transition_to_id_idx ON public.workflow_status_transition USING btree (to_id);

create table workflow_versions (
  id uuid not null,
  workflow_id uuid not null,
  number integer not null,
  graph jsonb not null,
  manifest jsonb not null,
  content_hash text not null,
  created_by_id uuid,
  created_at timestamp with time zone default now() not null,
  constraint workflow_versions_number_check CHECK ((number > 0)),
  constraint workflow_versions_created_by_id_fkey FOREIGN KEY (created_by_id) REFERENCES users(id) ON DELETE SET NULL,
  constraint workflow_versions_workflow_id_fkey FOREIGN KEY (workflow_id) REFERENCES workflows(id) ON DELETE RESTRICT,
  constraint workflow_versions_pkey PRIMARY KEY (id),
  constraint workflow_versions_workflow_id_content_hash_key UNIQUE (workflow_id, content_hash),
  constraint workflow_versions_workflow_id_number_key UNIQUE (workflow_id, number)
);
CREATE INDEX workflow_versions_created_by_id_idx ON public.workflow_versions USING btree (created_by_id);

create table workflows (
  id uuid not null,
  code text not null,
  title text not null,
  role_id smallint not null,
  source_id smallint not null,
  status_id smallint not null,
  created_at timestamp with time zone default now() not null,
  constraint workflows_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9_.-]*$'::text)),
  constraint workflows_role_id_fkey FOREIGN KEY (role_id) REFERENCES workflow_role(id) ON DELETE RESTRICT,
  constraint workflows_source_id_fkey FOREIGN KEY (source_id) REFERENCES workflow_source(id) ON DELETE RESTRICT,
  constraint workflows_status_id_fkey FOREIGN KEY (status_id) REFERENCES workflow_status(id) ON DELETE RESTRICT,
  constraint workflows_pkey PRIMARY KEY (id),
  constraint workflows_code_key UNIQUE (code)
);
CREATE INDEX workflows_role_id_idx ON public.workflows USING btree (role_id);
CREATE INDEX workflows_source_id_idx ON public.workflows USING btree (source_id);
CREATE INDEX workflows_status_id_idx ON public.workflows USING btree (status_id);
CREATE TRIGGER workflow_status_changes BEFORE UPDATE OF status_id ON public.workflows FOR EACH ROW WHEN ((old.status_id IS DISTINCT FROM new.status_id)) EXECUTE FUNCTION enforce_workflow_status_transition();

create table workspace_branches (
  id uuid not null,
  workspace_id uuid not null,
  document_name text not null,
  edited_at timestamp with time zone not null,
  kept_at timestamp with time zone default now() not null,
  content text not null,
  size_bytes integer default octet_length(content) not null,
  constraint workspace_branches_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspaces(id) ON DELETE CASCADE,
  constraint workspace_branches_pkey PRIMARY KEY (id)
);
CREATE INDEX workspace_branches_workspace_id_document_name_edited_at_idx ON public.workspace_branches USING btree (workspace_id, document_name, edited_at DESC);

create table workspace_documents (
  workspace_id uuid not null,
  name text not null,
  revision bigint not null,
  edit_id uuid not null,
  edited_at timestamp with time zone not null,
  saved_at timestamp with time zone default now() not null,
  content text not null,
  size_bytes integer default octet_length(content) not null,
  constraint workspace_documents_name_check CHECK ((name ~ '^[a-z0-9][a-zA-Z0-9_.:/-]{0,199}$'::text)),
  constraint workspace_documents_revision_check CHECK ((revision > 0)),
  constraint workspace_documents_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspaces(id) ON DELETE CASCADE,
  constraint workspace_documents_pkey PRIMARY KEY (workspace_id, name)
);

create table workspaces (
  id uuid not null,
  user_id uuid not null,
  name text not null,
  revision bigint default 0 not null,
  created_at timestamp with time zone default now() not null,
  used_at timestamp with time zone default now() not null,
  removed_at timestamp with time zone,
  constraint workspaces_name_check CHECK (((name = btrim(name)) AND ((length(name) >= 1) AND (length(name) <= 120)))),
  constraint workspaces_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE,
  constraint workspaces_pkey PRIMARY KEY (id)
);
CREATE UNIQUE INDEX workspace_names_are_unique ON public.workspaces USING btree (user_id, lower(name)) WHERE (removed_at IS NULL);
CREATE INDEX workspaces_user_id_idx ON public.workspaces USING btree (user_id);

CREATE OR REPLACE FUNCTION public.allow_changes(name text, from_code text, VARIADIC to_codes text[])
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  execute format(
    'insert into %1$I (from_id, to_id)
     select f.id, t.id from %2$I f join %2$I t on t.code = any($2) where f.code = $1
     on conflict do nothing', name || '_transition', name) using from_code, to_codes;
end $function$;

CREATE OR REPLACE FUNCTION public.announce_event()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
declare
  newest bigint;
begin
  select max(seq) into newest from inserted;
  -- The number only: payloads are small, equal ones fold, and the row is read by whoever needs it.
  if newest is not null then perform pg_notify('seedloop_events', newest::text); end if;
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.create_lookup(name text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  execute format(
    'create table %I (
       id smallint primary key,
       code text not null unique check (code ~ ''^[a-z0-9][a-z0-9_.:/+-]*$''),
       label text not null,
       sort smallint not null default 0,
       retired_at timestamptz
     )', name);
end $function$;

CREATE OR REPLACE FUNCTION public.create_status(name text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  perform create_lookup(name);
  execute format(
    'create table %1$I (
       from_id smallint not null references %2$I on delete restrict,
       to_id smallint not null references %2$I on delete restrict,
       primary key (from_id, to_id)
     )', name || '_transition', name);
  execute format('create index on %I (to_id)', name || '_transition');
end $function$;

CREATE OR REPLACE FUNCTION public.enforce_character_status_transition()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
     declare
       from_code text;
       to_code text;
     begin
       if exists (select 1 from character_status_transition where from_id = old.status_id and to_id = new.status_id) then return new; end if;
       select f.code, t.code into from_code, to_code
         from character_status f, character_status t where f.id = old.status_id and t.id = new.status_id;
       raise exception 'Cannot change % from "%" to "%"', tg_table_name, from_code, to_code
         using errcode = 'check_violation', constraint = 'character_status_transition', table = tg_table_name;
     end $function$;

CREATE OR REPLACE FUNCTION public.enforce_clip_status_transition()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
     declare
       from_code text;
       to_code text;
     begin
       if exists (select 1 from clip_status_transition where from_id = old.status_id and to_id = new.status_id) then return new; end if;
       select f.code, t.code into from_code, to_code
         from clip_status f, clip_status t where f.id = old.status_id and t.id = new.status_id;
       raise exception 'Cannot change % from "%" to "%"', tg_table_name, from_code, to_code
         using errcode = 'check_violation', constraint = 'clip_status_transition', table = tg_table_name;
     end $function$;

CREATE OR REPLACE FUNCTION public.enforce_cut_status_transition()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
     declare
       from_code text;
       to_code text;
     begin
       if exists (select 1 from cut_status_transition where from_id = old.status_id and to_id = new.status_id) then return new; end if;
       select f.code, t.code into from_code, to_code
         from cut_status f, cut_status t where f.id = old.status_id and t.id = new.status_id;
       raise exception 'Cannot change % from "%" to "%"', tg_table_name, from_code, to_code
         using errcode = 'check_violation', constraint = 'cut_status_transition', table = tg_table_name;
     end $function$;

CREATE OR REPLACE FUNCTION public.enforce_delivery_status_transition()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
     declare
       from_code text;
       to_code text;
     begin
       if exists (select 1 from delivery_status_transition where from_id = old.status_id and to_id = new.status_id) then return new; end if;
       select f.code, t.code into from_code, to_code
         from delivery_status f, delivery_status t where f.id = old.status_id and t.id = new.status_id;
       raise exception 'Cannot change % from "%" to "%"', tg_table_name, from_code, to_code
         using errcode = 'check_violation', constraint = 'delivery_status_transition', table = tg_table_name;
     end $function$;

CREATE OR REPLACE FUNCTION public.enforce_inspection_status_transition()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
     declare
       from_code text;
       to_code text;
     begin
       if exists (select 1 from inspection_status_transition where from_id = old.status_id and to_id = new.status_id) then return new; end if;
       select f.code, t.code into from_code, to_code
         from inspection_status f, inspection_status t where f.id = old.status_id and t.id = new.status_id;
       raise exception 'Cannot change % from "%" to "%"', tg_table_name, from_code, to_code
         using errcode = 'check_violation', constraint = 'inspection_status_transition', table = tg_table_name;
     end $function$;

CREATE OR REPLACE FUNCTION public.enforce_master_status_transition()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
     declare
       from_code text;
       to_code text;
     begin
       if exists (select 1 from master_status_transition where from_id = old.status_id and to_id = new.status_id) then return new; end if;
       select f.code, t.code into from_code, to_code
         from master_status f, master_status t where f.id = old.status_id and t.id = new.status_id;
       raise exception 'Cannot change % from "%" to "%"', tg_table_name, from_code, to_code
         using errcode = 'check_violation', constraint = 'master_status_transition', table = tg_table_name;
     end $function$;

CREATE OR REPLACE FUNCTION public.enforce_project_status_transition()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
     declare
       from_code text;
       to_code text;
     begin
       if exists (select 1 from project_status_transition where from_id = old.status_id and to_id = new.status_id) then return new; end if;
       select f.code, t.code into from_code, to_code
         from project_status f, project_status t where f.id = old.status_id and t.id = new.status_id;
       raise exception 'Cannot change % from "%" to "%"', tg_table_name, from_code, to_code
         using errcode = 'check_violation', constraint = 'project_status_transition', table = tg_table_name;
     end $function$;

CREATE OR REPLACE FUNCTION public.enforce_scene_status_transition()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
     declare
       from_code text;
       to_code text;
     begin
       if exists (select 1 from scene_status_transition where from_id = old.status_id and to_id = new.status_id) then return new; end if;
       select f.code, t.code into from_code, to_code
         from scene_status f, scene_status t where f.id = old.status_id and t.id = new.status_id;
       raise exception 'Cannot change % from "%" to "%"', tg_table_name, from_code, to_code
         using errcode = 'check_violation', constraint = 'scene_status_transition', table = tg_table_name;
     end $function$;

CREATE OR REPLACE FUNCTION public.enforce_seed_status_transition()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
     declare
       from_code text;
       to_code text;
     begin
       if exists (select 1 from seed_status_transition where from_id = old.status_id and to_id = new.status_id) then return new; end if;
       select f.code, t.code into from_code, to_code
         from seed_status f, seed_status t where f.id = old.status_id and t.id = new.status_id;
       raise exception 'Cannot change % from "%" to "%"', tg_table_name, from_code, to_code
         using errcode = 'check_violation', constraint = 'seed_status_transition', table = tg_table_name;
     end $function$;

CREATE OR REPLACE FUNCTION public.enforce_segment_status_transition()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
     declare
       from_code text;
       to_code text;
     begin
       if exists (select 1 from segment_status_transition where from_id = old.status_id and to_id = new.status_id) then return new; end if;
       select f.code, t.code into from_code, to_code
         from segment_status f, segment_status t where f.id = old.status_id and t.id = new.status_id;
       raise exception 'Cannot change % from "%" to "%"', tg_table_name, from_code, to_code
         using errcode = 'check_violation', constraint = 'segment_status_transition', table = tg_table_name;
     end $function$;

CREATE OR REPLACE FUNCTION public.enforce_take_status_transition()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
     declare
       from_code text;
       to_code text;
     begin
       if exists (select 1 from take_status_transition where from_id = old.status_id and to_id = new.status_id) then return new; end if;
       select f.code, t.code into from_code, to_code
         from take_status f, take_status t where f.id = old.status_id and t.id = new.status_id;
       raise exception 'Cannot change % from "%" to "%"', tg_table_name, from_code, to_code
         using errcode = 'check_violation', constraint = 'take_status_transition', table = tg_table_name;
     end $function$;

CREATE OR REPLACE FUNCTION public.enforce_user_status_transition()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
     declare
       from_code text;
       to_code text;
     begin
       if exists (select 1 from user_status_transition where from_id = old.status_id and to_id = new.status_id) then return new; end if;
       select f.code, t.code into from_code, to_code
         from user_status f, user_status t where f.id = old.status_id and t.id = new.status_id;
       raise exception 'Cannot change % from "%" to "%"', tg_table_name, from_code, to_code
         using errcode = 'check_violation', constraint = 'user_status_transition', table = tg_table_name;
     end $function$;

CREATE OR REPLACE FUNCTION public.enforce_worker_status_transition()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
     declare
       from_code text;
       to_code text;
     begin
       if exists (select 1 from worker_status_transition where from_id = old.status_id and to_id = new.status_id) then return new; end if;
       select f.code, t.code into from_code, to_code
         from worker_status f, worker_status t where f.id = old.status_id and t.id = new.status_id;
       raise exception 'Cannot change % from "%" to "%"', tg_table_name, from_code, to_code
         using errcode = 'check_violation', constraint = 'worker_status_transition', table = tg_table_name;
     end $function$;

CREATE OR REPLACE FUNCTION public.enforce_workflow_status_transition()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
     declare
       from_code text;
       to_code text;
     begin
       if exists (select 1 from workflow_status_transition where from_id = old.status_id and to_id = new.status_id) then return new; end if;
       select f.code, t.code into from_code, to_code
         from workflow_status f, workflow_status t where f.id = old.status_id and t.id = new.status_id;
       raise exception 'Cannot change % from "%" to "%"', tg_table_name, from_code, to_code
         using errcode = 'check_violation', constraint = 'workflow_status_transition', table = tg_table_name;
     end $function$;

CREATE OR REPLACE FUNCTION public.file_card(file files)
 RETURNS text
 LANGUAGE sql
 STABLE
AS $function$
  select concat(
    '"hash":"', file.hash, '","sizeBytes":', file.size_bytes, ',"mediaType":',
    (select to_json(code) from media_type where id = file.media_type_id),
    ',"facts":', coalesce((select reply_json from media_facts where file_hash = file.hash), 'null'),
    ',"derivatives":', coalesce(
      (select json_agg(k.code order by k.sort, k.id)::text
         from derivatives d join derivative_kind k on k.id = d.kind_id where d.source_hash = file.hash), '[]'),
    ',"sprite":', coalesce(
      (select d.layout::text
         from derivatives d join derivative_kind k on k.id = d.kind_id and k.code = 'sprite'
        where d.source_hash = file.hash), 'null'))
$function$;

CREATE OR REPLACE FUNCTION public.fill_lookup(name text, VARIADIC codes text[])
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  moved text;
begin
  execute format('select l.code from %I l where l.id <= cardinality($1) and l.code <> $1[l.id] order by l.id limit 1', name)
    into moved using codes;
  if moved is not null then
    raise exception 'Cannot fill %: its list has another code in the place of "%". Add new codes at the end', name, moved;
  end if;
  execute format(
    'insert into %I (id, code, label, sort)
     select n, c, upper(left(replace(c, ''_'', '' ''), 1)) || substr(replace(c, ''_'', '' ''), 2), n
       from unnest($1) with ordinality as list (c, n)
     on conflict (id) do update set sort = excluded.sort', name) using codes;
end $function$;

CREATE OR REPLACE FUNCTION public.follow_changed_jobs()
 RETURNS trigger
 LANGUAGE plpgsql
 SET enable_nestloop TO 'off'
AS $function$
begin
  insert into events (kind_id, topic, project_id, data)
  select e.id, coalesce('project:' || t.project_id, 'jobs'), t.project_id, json_build_object('jobs', t.jobs)::jsonb
    from event_kind e
    join (
      select c.project_id, json_agg(c.job) as jobs
        from (
          select n.project_id, (row_number() over () - 1) / 100 as part,
                 json_build_object(
                   'jobId', n.id, 'kind', k.code,
                   'status', case when n.status_id = w.status_id or a.to_id is not null then s.code
                                  else refuse_job_change(w.status_id, n.status_id) end,
                   'projectId', n.project_id,
                   'seedId', n.seed_id, 'takeId', n.take_id, 'cutId', n.cut_id, 'masterId', n.master_id) as job
            from was w
            join became n on n.id = w.id
            join job_kind k on k.id = n.kind_id
            join job_status s on s.id = n.status_id
            left join job_status_transition a on a.from_id = w.status_id and a.to_id = n.status_id
           where n.status_id <> w.status_id or n.priority <> w.priority
              or n.cancel_asked_at is distinct from w.cancel_asked_at) c
       group by c.project_id, c.part) t on e.code = 'job.changed';
  if exists (select 1 from became where status_id = 2) then
    perform wake_queue(n.lane_id, min(n.order_key))
       from was w
       join became n on n.id = w.id and n.status_id = 2 and n.run_at <= now()
        and (w.status_id <> 2 or n.order_key < w.order_key or n.run_at < w.run_at)
      group by n.lane_id;
  end if;
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.follow_derivatives()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  perform renew_file_card(coalesce(new.source_hash, old.source_hash));
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.follow_media_facts()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  perform renew_file_card(coalesce(new.file_hash, old.file_hash));
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.follow_new_jobs()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  insert into events (kind_id, topic, project_id, data)
  select e.id, coalesce('project:' || t.project_id, 'jobs'), t.project_id, json_build_object('jobs', t.jobs)::jsonb
    from event_kind e
    join (
      select c.project_id, json_agg(c.job) as jobs
        from (
          select n.project_id, (row_number() over () - 1) / 100 as part,
                 json_build_object(
                   'jobId', n.id, 'kind', k.code, 'status', s.code, 'projectId', n.project_id,
                   'seedId', n.seed_id, 'takeId', n.take_id, 'cutId', n.cut_id, 'masterId', n.master_id) as job
            from inserted n
            join job_kind k on k.id = n.kind_id
            join job_status s on s.id = n.status_id
           where n.status_id < 5) c
       group by c.project_id, c.part) t on e.code = 'job.changed';
  perform wake_queue(n.lane_id, min(n.order_key)) from inserted n
    where n.status_id = 2 and n.run_at <= now() group by n.lane_id;
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.guard_status(table_name text, status_table text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
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
end $function$;

CREATE OR REPLACE FUNCTION public.json_text(value text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE STRICT
RETURN (to_json(value))::text;

CREATE OR REPLACE FUNCTION public.new_attempt_id()
 RETURNS uuid
 LANGUAGE sql
AS $function$select uuidv7()$function$;

CREATE OR REPLACE FUNCTION public.ready_successors(finished uuid[])
 RETURNS integer
 LANGUAGE plpgsql
AS $function$
declare
  waiting uuid[];
  made integer;
begin
  -- Locked here and judged in the next statement, which sees what was committed while this one waited: of two jobs
  -- that end at the same moment each would else take the other for unfinished.
  select array_agg(l.id) into waiting
    from (select j.id from jobs j
           where j.status_id = 1
             and j.id = any(array(select d.job_id from job_dependencies d where d.needs_job_id = any(finished)))
           order by j.id for no key update) l;
  if waiting is null then return 0; end if;
  update jobs j
     set status_id = 2
   where j.id = any(waiting)
     and not exists (
       select 1 from job_dependencies d join jobs n on n.id = d.needs_job_id
        where d.job_id = j.id and n.status_id <> 5);
  get diagnostics made = row_count;
  return made;
end $function$;

CREATE OR REPLACE FUNCTION public.refuse_job_change(from_id smallint, to_id smallint)
 RETURNS text
 LANGUAGE plpgsql
AS $function$
declare
  from_code text;
  to_code text;
begin
  select f.code, t.code into from_code, to_code
    from job_status f, job_status t where f.id = refuse_job_change.from_id and t.id = refuse_job_change.to_id;
  raise exception 'Cannot change jobs from "%" to "%"', from_code, to_code
    using errcode = 'check_violation', constraint = 'job_status_transition', table = 'jobs';
end $function$;

CREATE OR REPLACE FUNCTION public.refuse_protected_delete()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if old.retention_class_id = 1 then
    raise exception 'Cannot delete the asset "%": it is protected (seed, hero, final cut, master or delivery)', old.name
      using errcode = 'restrict_violation', constraint = 'protected_is_kept', table = 'assets';
  end if;
  return old;
end $function$;

CREATE OR REPLACE FUNCTION public.refuse_take_without_hero()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
end $function$;

CREATE OR REPLACE FUNCTION public.renew_file_card(file_hash text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  -- Locked here and read in the next statement, which sees what was committed while this one waited: of two changes at
  -- the same moment the card has both.
  perform 1 from files f where f.hash = file_hash for no key update;
  update files f set card = file_card(f) where f.hash = file_hash;
end $function$;

CREATE OR REPLACE FUNCTION public.wake_queue(lane_number smallint, place bigint)
 RETURNS void
 LANGUAGE sql
AS $function$
  select pg_notify('seedloop_jobs', 'ready ' || l.code || ' ' || place) from lane l where l.id = lane_number
$function$;

CREATE OR REPLACE FUNCTION public.write_file_card()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  new.card := file_card(new);
  return new;
end $function$;

create view searchable as
 SELECT 'project'::text AS thing,
    p.id,
    p.id AS project_id,
    p.name,
    s.code AS hint,
    p.created_at
   FROM (projects p
     JOIN project_status s ON ((s.id = p.status_id)))
UNION ALL
 SELECT 'character'::text AS thing,
    c.id,
    c.project_id,
    c.name,
    NULL::text AS hint,
    c.created_at
   FROM characters c
UNION ALL
 SELECT 'scene'::text AS thing,
    c.id,
    c.project_id,
    c.name,
    NULL::text AS hint,
    c.created_at
   FROM scenes c
UNION ALL
 SELECT 'clip'::text AS thing,
    c.id,
    s.project_id,
    c.name,
    s.name AS hint,
    c.created_at
   FROM (clips c
     JOIN scenes s ON ((s.id = c.scene_id)))
UNION ALL
 SELECT 'asset'::text AS thing,
    a.id,
    a.project_id,
    a.name,
    k.code AS hint,
    a.created_at
   FROM (assets a
     JOIN asset_kind k ON ((k.id = a.kind_id)))
  WHERE (k.code = ANY (ARRAY['upload'::text, 'portrait'::text, 'foundation'::text, 'take'::text, 'cut'::text, 'master'::text]))
UNION ALL
 SELECT 'job'::text AS thing,
    j.id,
    j.project_id,
    k.label AS name,
    s.code AS hint,
    j.created_at
   FROM ((jobs j
     JOIN job_kind k ON ((k.id = j.kind_id)))
     JOIN job_status s ON ((s.id = j.status_id)))
  WHERE (s.code <> ALL (ARRAY['done'::text, 'cancelled'::text]))
UNION ALL
 SELECT 'user'::text AS thing,
    u.id,
    NULL::uuid AS project_id,
    u.display_name AS name,
    u.login AS hint,
    u.created_at
   FROM (users u
     JOIN user_status s ON ((s.id = u.status_id)))
  WHERE (s.code = 'active'::text)
UNION ALL
 SELECT 'worker'::text AS thing,
    w.id,
    NULL::uuid AS project_id,
    w.name,
    s.code AS hint,
    w.created_at
   FROM (workers w
     JOIN worker_status s ON ((s.id = w.status_id)))
  WHERE (w.removed_at IS NULL)
UNION ALL
 SELECT 'batch'::text AS thing,
    b.id,
    b.project_id,
    (c.name ||
        CASE
            WHEN (b.prompt = ''::text) THEN ''::text
            ELSE (' · '::text || "left"(b.prompt, 80))
        END) AS name,
    (b.asked_count)::text AS hint,
    b.created_at
   FROM (variation_batches b
     JOIN characters c ON ((c.id = b.character_id)))
UNION ALL
 SELECT 'workflow'::text AS thing,
    f.id,
    NULL::uuid AS project_id,
    f.title AS name,
    r.code AS hint,
    f.created_at
   FROM ((workflows f
     JOIN workflow_role r ON ((r.id = f.role_id)))
     JOIN workflow_status s ON ((s.id = f.status_id)))
  WHERE (s.code <> 'retired'::text);

