-- Counts the take-overs of a worker: what an owner does under an older number came from before another drove it.
alter table workers add column owner_epoch integer not null default 0;
comment on column workers.owner_node_id is
  'Which process drives it: it alone submits there and says how it is. Another takes over once this one is stopped or silent';
comment on column server_nodes.host is 'Where the pid means something: the machine, and its space of process numbers where it has several';

-- The newest picture of each running job, for the sockets of other processes. Worthless after a crash.
create unlogged table job_previews (
  job_id uuid primary key,
  media_type_id smallint not null references media_type on delete restrict,
  bytes bytea not null,
  updated_at timestamptz not null default now()
);
create index on job_previews (media_type_id);
