-- What one job writes in its life, made small. A change of status moved an entry in each of nine indexes of jobs;
-- now it moves the primary key and one small index that holds open jobs only. An attempt is written once, when it
-- ends. What a change entails (is it allowed, who is told, who is woken) is done once for each statement.

-- The attempt that runs; its row in job_attempts comes when it has ended.
alter table jobs add column attempt_id uuid, add column attempt_started_at timestamptz;
update jobs j set attempt_id = a.id, attempt_started_at = a.started_at
  from job_attempts a where a.job_id = j.id and a.number = j.attempt and j.status_id = 4;
update jobs set attempt_id = gen_random_uuid(), attempt_started_at = coalesce(started_at, now())
 where status_id = 4 and attempt_id is null;
delete from job_attempts where finished_at is null;
alter table jobs add constraint running_has_attempt
  check (status_id <> 4 or (attempt_id is not null and attempt_started_at is not null));
comment on column jobs.attempt_id is 'Of the latest attempt; the prompt id under which a generation is submitted';
alter table job_attempts
  drop constraint finished_has_outcome,
  alter column started_at drop default,
  alter column finished_at set not null,
  alter column outcome_id set not null;
comment on table job_attempts is 'Attempts that have ended; the one that runs is in jobs';

drop index jobs_ready, jobs_running, jobs_by_status, jobs_last_share, jobs_lane_share, jobs_of_user,
  jobs_kind_id_idx, jobs_project_id_id_idx, job_attempts_outcome_id_idx, job_attempts_worker_id_idx, events_kind_id_idx,
  events_project_id_idx;
-- Ready jobs of a lane in order, and the running ones. Not on lease_until: it is moved every few seconds.
create index jobs_open on jobs (status_id, lane_id, order_key, id) where status_id < 5;
-- How far a user's waiting jobs reach; what has ended is in fair_accounts.
create index jobs_waiting_share on jobs (lane_id, user_id, fair_end) where status_id in (1, 2, 3);
create index jobs_of_project on jobs (project_id, id desc) where project_id is not null;
create index jobs_of_user on jobs (user_id, id desc) where user_id is not null;
create index job_attempts_of_worker on job_attempts (worker_id, id desc) where worker_id is not null;
create index events_of_project on events (project_id) where project_id is not null;
-- Keys to lookups with few values, in tables that only grow: a summary of block ranges costs nothing to keep.
create index jobs_of_kind on jobs using brin (kind_id);
create index job_attempts_of_outcome on job_attempts using brin (outcome_id);
create index events_of_kind on events using brin (kind_id);

-- Where the shares of ended jobs have got to: what a user's next job starts from when none of theirs waits or runs.
create table fair_accounts (
  lane_id smallint not null references lane on delete cascade,
  user_id uuid references users on delete cascade,
  fair_end bigint not null,
  unique nulls not distinct (lane_id, user_id)
);
create index on fair_accounts (user_id);
insert into fair_accounts (lane_id, user_id, fair_end)
select lane_id, user_id, max(fair_end) from jobs where status_id in (4, 5, 6) group by lane_id, user_id;

-- Ids for attempts, made where they are needed; UUIDv7 is known to PostgreSQL 18.
do $$
begin
  if current_setting('server_version_num')::integer >= 180000 then
    create function new_attempt_id() returns uuid language sql volatile as 'select uuidv7()';
  else
    create function new_attempt_id() returns uuid language sql volatile as $f$
      select encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) placing
               substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6),
               52, 1), 53, 1), 'hex')::uuid
    $f$;
  end if;
end $$;

drop trigger job_status_changes on jobs;
drop function enforce_job_status_transition();
drop trigger new_jobs_are_announced on jobs;
drop function announce_ready_jobs();

-- "ready cpu 12000": jobs of that lane may start, none of them before that place in line. Equal ones fold.
create function wake_queue(lane_number smallint, place bigint) returns void language sql volatile as $$
  select pg_notify('seedloop_jobs', 'ready ' || l.code || ' ' || place) from lane l where l.id = lane_number
$$;

create function follow_new_jobs() returns trigger language plpgsql as $$
begin
  insert into events (kind_id, topic, project_id, data)
  select e.id, coalesce('project:' || n.project_id, 'jobs'), n.project_id,
         jsonb_build_object(
           'jobId', n.id, 'kind', k.code, 'status', s.code, 'projectId', n.project_id,
           'seedId', n.seed_id, 'takeId', n.take_id, 'cutId', n.cut_id, 'masterId', n.master_id)
    from inserted n
    join event_kind e on e.code = 'job.changed'
    join job_kind k on k.id = n.kind_id
    join job_status s on s.id = n.status_id
   where n.status_id < 5;
  perform wake_queue(n.lane_id, min(n.order_key)) from inserted n
    where n.status_id = 2 and n.run_at <= now() group by n.lane_id;
  return null;
end $$;
create trigger new_jobs_are_followed after insert on jobs
  referencing new table as inserted for each statement execute function follow_new_jobs();

create function refuse_job_change(from_id smallint, to_id smallint) returns text language plpgsql as $$
declare
  from_code text;
  to_code text;
begin
  select f.code, t.code into from_code, to_code
    from job_status f, job_status t where f.id = refuse_job_change.from_id and t.id = refuse_job_change.to_id;
  raise exception 'Cannot change jobs from "%" to "%"', from_code, to_code
    using errcode = 'check_violation', constraint = 'job_status_transition', table = 'jobs';
end $$;

-- The rule that guard_status() sets for each row, here for all rows of a statement at once, and the news of them.
-- Without nested loops: the plan is kept, and one that was made for a single row would take the square of a thousand.
create function follow_changed_jobs() returns trigger language plpgsql set enable_nestloop = off as $$
begin
  insert into events (kind_id, topic, project_id, data)
  select e.id, coalesce('project:' || n.project_id, 'jobs'), n.project_id,
         jsonb_build_object(
           'jobId', n.id, 'kind', k.code,
           'status', case when n.status_id = w.status_id or a.to_id is not null then s.code
                          else refuse_job_change(w.status_id, n.status_id) end,
           'projectId', n.project_id,
           'seedId', n.seed_id, 'takeId', n.take_id, 'cutId', n.cut_id, 'masterId', n.master_id)
    from was w
    join became n on n.id = w.id
    join event_kind e on e.code = 'job.changed'
    join job_kind k on k.id = n.kind_id
    join job_status s on s.id = n.status_id
    left join job_status_transition a on a.from_id = w.status_id and a.to_id = n.status_id
   where n.status_id <> w.status_id or n.priority <> w.priority
      or n.cancel_asked_at is distinct from w.cancel_asked_at;
  if exists (select 1 from became where status_id = 2) then
    perform wake_queue(n.lane_id, min(n.order_key))
       from was w
       join became n on n.id = w.id and n.status_id = 2 and n.run_at <= now()
        and (w.status_id <> 2 or n.order_key < w.order_key or n.run_at < w.run_at)
      group by n.lane_id;
  end if;
  return null;
end $$;
create trigger changed_jobs_are_followed after update on jobs
  referencing old table as was new table as became for each statement execute function follow_changed_jobs();

-- Its text is gone from functions/: the triggers above tell what it told.
drop function if exists job_facts(jobs);
