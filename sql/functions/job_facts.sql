-- The data of the event job.changed.
create or replace function job_facts(j jobs) returns jsonb language sql stable as $$
  select jsonb_build_object(
    'jobId', j.id, 'kind', k.code, 'status', s.code, 'projectId', j.project_id,
    'seedId', j.seed_id, 'takeId', j.take_id, 'cutId', j.cut_id, 'masterId', j.master_id)
    from job_kind k, job_status s
   where k.id = j.kind_id and s.id = j.status_id
$$;
