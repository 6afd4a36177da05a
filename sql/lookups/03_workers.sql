select fill_lookup('workflow_role', 'foundation_from_portrait', 'portrait_from_foundation', 'image_to_video',
  'first_last_to_video', 'refine_portrait');
select fill_lookup('workflow_source', 'bundled', 'imported');
select fill_lookup('workflow_status', 'draft', 'active', 'retired');
select allow_changes('workflow_status', 'draft', 'active', 'retired');
select allow_changes('workflow_status', 'active', 'retired');
select allow_changes('workflow_status', 'retired', 'active');
select fill_lookup('worker_kind', 'cpu_engine', 'comfyui');
select fill_lookup('worker_status', 'unknown', 'online', 'offline', 'unhealthy', 'draining', 'disabled');
select allow_changes('worker_status', 'unknown', 'online', 'offline', 'unhealthy', 'draining', 'disabled');
select allow_changes('worker_status', 'online', 'unknown', 'offline', 'unhealthy', 'draining', 'disabled');
select allow_changes('worker_status', 'offline', 'unknown', 'online', 'unhealthy', 'draining', 'disabled');
select allow_changes('worker_status', 'unhealthy', 'unknown', 'online', 'offline', 'draining', 'disabled');
select allow_changes('worker_status', 'draining', 'unknown', 'online', 'offline', 'disabled');
select allow_changes('worker_status', 'disabled', 'unknown', 'online', 'offline');
