-- What became of looking into an uploaded file: every upload is looked into, whatever it is used for later.
select create_status('inspection_status');
create table file_inspections (
  file_hash text primary key references files on delete cascade,
  status_id smallint not null references inspection_status on delete restrict,
  -- Why it can't be used, as a sentence.
  failure text,
  updated_at timestamptz not null default now(),
  constraint failed_says_why check ((status_id = 3) = (failure is not null))
);
comment on constraint failed_says_why on file_inspections is 'inspection_status 3 failed';
create index on file_inspections (status_id);
select guard_status('file_inspections', 'inspection_status');
