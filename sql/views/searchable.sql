-- Everything that people look for by its name; whoever asks of it must say which projects one may see.
-- The kinds are those of the program's addresses. Users, workers and workflows belong to no project.
create or replace view searchable as
  select 'project'::text as thing, p.id, p.id as project_id, p.name, s.code as hint, p.created_at
    from projects p join project_status s on s.id = p.status_id
  union all
  select 'character', c.id, c.project_id, c.name, null, c.created_at from characters c
  union all
  select 'scene', c.id, c.project_id, c.name, null, c.created_at from scenes c
  union all
  select 'clip', c.id, s.project_id, c.name, s.name, c.created_at from clips c join scenes s on s.id = c.scene_id
  union all
  select 'asset', a.id, a.project_id, a.name, k.code, a.created_at
    from assets a join asset_kind k on k.id = a.kind_id
   where k.code in ('upload', 'portrait', 'foundation', 'take', 'cut', 'master')
  union all
  -- What is done or called off is found with what it made.
  select 'job', j.id, j.project_id, k.label, s.code, j.created_at
    from jobs j join job_kind k on k.id = j.kind_id join job_status s on s.id = j.status_id
   where s.code not in ('done', 'cancelled')
  union all
  select 'user', u.id, null, u.display_name, u.login, u.created_at
    from users u join user_status s on s.id = u.status_id where s.code = 'active'
  union all
  select 'worker', w.id, null, w.name, s.code, w.created_at
    from workers w join worker_status s on s.id = w.status_id where w.removed_at is null
  union all
  -- A batch has no name: whom it shows and what was asked for tell it from others.
  select 'batch', b.id, b.project_id, c.name || case when b.prompt = '' then '' else ' · ' || left(b.prompt, 80) end,
         b.asked_count::text, b.created_at
    from variation_batches b join characters c on c.id = b.character_id
  union all
  select 'workflow', f.id, null, f.title, r.code, f.created_at
    from workflows f join workflow_role r on r.id = f.role_id join workflow_status s on s.id = f.status_id
   where s.code <> 'retired';
