select fill_lookup('workflow_role', 'foundation_from_portrait', 'portrait_from_foundation', 'image_to_video',
  'first_last_to_video', 'refine_portrait');
select fill_lookup('workflow_source', 'bundled', 'imported');
select fill_lookup('workflow_status', 'draft', 'active', 'retired');
select allow_changes('workflow_status', 'draft', 'active', 'retired');
select allow_changes('workflow_status', 'active', 'retired');
select allow_changes('workflow_status', 'retired', 'active');
select fill_lookup('worker_kind', 'cpu_engine', 'comfyui');
select fill_lookup('worker_status', 'unknown', 'online', 'offline', 'unhealthy', 'draining', 'disabled',
  'suspect', 'resting');
-- What the bridge sees of a worker may follow on anything else that it sees; a person drains and disables.
select allow_changes('worker_status', s, variadic array_remove(array['unknown', 'online', 'offline', 'unhealthy',
  'suspect', 'resting', 'draining', 'disabled'], s))
  from unnest(array['unknown', 'online', 'offline', 'unhealthy', 'suspect', 'resting']) as s;
select allow_changes('worker_status', 'draining', 'unknown', 'online', 'offline', 'disabled');
select allow_changes('worker_status', 'disabled', 'unknown', 'online', 'offline');
select fill_lookup('worker_order_kind', 'interrupt', 'free', 'restart', 'kill', 'start', 'stop');
select fill_lookup('worker_order_outcome', 'worked', 'failed', 'impossible');
select fill_lookup('worker_command_kind', 'start', 'restart');
select fill_lookup('worker_change_kind', 'node_added', 'node_removed', 'node_changed', 'model_added', 'model_removed',
  'model_changed');
