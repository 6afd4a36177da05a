-- How far the last segment may be slowed or hurried to end on a calm frame; 0 never.
alter table clips add retime_limit real not null default 0 check (retime_limit between 0 and 0.04);

alter table segments
  add random_seed bigint check (random_seed between 0 and 9007199254740991),
  -- Own length in frames at the project's rate; null: as planned.
  add asked_frames integer check (asked_frames between 1 and 200000),
  -- Set while its chosen take is made again and all after it stays: generated frames that the new one has to fill.
  add remake_frames integer check (remake_frames > 0);

alter table takes
  -- The picture that it was made to end on: where the segment after it starts.
  add last_image_hash text references files on delete restrict,
  -- It is stitched slowed or hurried to so many frames.
  add retimed_frames integer check (retimed_frames > 0);
create index on takes (last_image_hash);

alter table cut_parts add retimed_frame_count integer check (retimed_frame_count > 0);

-- What the gates say of the whole cut, and which segment (from 1) a new take would mend.
alter table cuts
  add gate_verdict_id smallint references gate_verdict on delete restrict,
  add gate_reasons text[] not null default '{}',
  add gate_segment smallint check (gate_segment >= 1);
create index on cuts (gate_verdict_id);

-- Whom the faces were compared with: scores against another portrait are not this cut's.
alter table take_likeness add portrait_hash text references files on delete restrict;
create index on take_likeness (portrait_hash);
