-- What waits for a full disk or a busy worker is tried again without end, at times each second: after nine hours of
-- that the number of the attempt did not fit, and no claim of its whole lane went through any more.
alter table jobs
  alter column attempt type integer,
  alter column failures type integer,
  alter column retried_after type integer;
alter table job_attempts alter column number type integer;
