select fill_lookup('role', 'admin', 'creator', 'reviewer');
select fill_lookup('permission',
  'project.read', 'project.create', 'project.edit', 'project.members', 'asset.read', 'asset.upload',
  'character.edit', 'clip.edit', 'generate', 'job.read', 'job.control', 'queue.admin', 'review.note',
  'review.decide', 'review.finalize', 'delivery.create', 'workflow.read', 'workflow.edit', 'worker.read',
  'worker.admin', 'user.read', 'user.admin', 'audit.read', 'settings.read', 'settings.admin', 'token.own');

insert into role_permission (role_id, permission_id)
select r.id, p.id
  from role r join permission p on case r.code
    when 'admin' then true
    when 'creator' then p.code in (
      'project.read', 'project.create', 'project.edit', 'project.members', 'asset.read', 'asset.upload',
      'character.edit', 'clip.edit', 'generate', 'job.read', 'job.control', 'review.note', 'review.decide',
      'review.finalize', 'delivery.create', 'workflow.read', 'worker.read', 'user.read', 'settings.read', 'token.own')
    when 'reviewer' then p.code in (
      'project.read', 'asset.read', 'job.read', 'review.note', 'review.decide', 'workflow.read', 'worker.read',
      'user.read', 'settings.read', 'token.own')
    else false end
on conflict do nothing;

select fill_lookup('token_scope', 'read', 'submit', 'review', 'admin');
insert into token_scope_permission (scope_id, permission_id)
select s.id, p.id
  from token_scope s join permission p on case s.code
    when 'admin' then true
    when 'read' then p.code like '%.read'
    when 'submit' then p.code like '%.read' or p.code in (
      'project.create', 'project.edit', 'asset.upload', 'character.edit', 'clip.edit', 'generate', 'job.control',
      'delivery.create')
    when 'review' then p.code like '%.read' or p.code like 'review.%'
    else false end
on conflict do nothing;

select fill_lookup('user_status', 'invited', 'active', 'disabled');
select allow_changes('user_status', 'invited', 'active', 'disabled');
select allow_changes('user_status', 'active', 'disabled');
select allow_changes('user_status', 'disabled', 'active');
select fill_lookup('one_time_link_kind', 'first_admin', 'invite', 'password_reset');
select fill_lookup('revoke_reason', 'signed_out', 'signed_out_everywhere', 'token_reused', 'user_disabled',
  'password_changed', 'expired', 'by_admin');
select fill_lookup('subject_kind', 'user', 'project', 'character', 'seed', 'scene', 'clip', 'segment', 'take',
  'cut', 'master', 'delivery', 'asset', 'job', 'worker', 'workflow', 'setting', 'session', 'api_token',
  'variation_batch');
select fill_lookup('setting_kind', 'studio', 'media', 'queue', 'security', 'design');

select fill_lookup('project_status', 'active', 'archived', 'trashed');
select allow_changes('project_status', 'active', 'archived', 'trashed');
select allow_changes('project_status', 'archived', 'active', 'trashed');
select allow_changes('project_status', 'trashed', 'active');
