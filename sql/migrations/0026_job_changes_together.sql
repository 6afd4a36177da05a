-- What one statement changes is told in one event for each project, of a hundred jobs at most: a batch of a thousand
-- was a thousand rows, a thousand messages to each browser, and a quarter of what the statement took.
-- Put together as text and read once: a jsonb that grows by pieces is copied for each of them.
update events
   set data = jsonb_build_object('jobs', jsonb_build_array(data))
 where kind_id = (select id from event_kind where code = 'job.changed');

create or replace function follow_new_jobs() returns trigger language plpgsql as $$
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
end $$;

create or replace function follow_changed_jobs() returns trigger language plpgsql set enable_nestloop = off as $$
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
end $$;
