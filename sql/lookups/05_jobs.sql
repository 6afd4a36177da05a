select fill_lookup('lane', 'gpu', 'cpu', 'io', 'script');
-- The numbers are named in constraints and indexes of jobs.
select fill_lookup('job_status', 'blocked', 'queued', 'held', 'running', 'done', 'failed', 'cancelled');
select allow_changes('job_status', 'blocked', 'queued', 'held', 'cancelled', 'failed');
select allow_changes('job_status', 'queued', 'held', 'running', 'cancelled', 'blocked');
select allow_changes('job_status', 'held', 'queued', 'blocked', 'cancelled');
select allow_changes('job_status', 'running', 'queued', 'done', 'failed', 'cancelled');
select allow_changes('job_status', 'failed', 'queued');
select allow_changes('job_status', 'cancelled', 'queued');

select fill_lookup('attempt_outcome', 'done', 'failed', 'cancelled', 'lease_lost', 'handed_back');
select fill_lookup('log_level', 'debug', 'info', 'warn', 'error');

insert into failure_class (id, code, label, sort, retries, backoff_ms, spends, mend) values
  (1, 'bad_input', 'Bad input', 1, 0, 0, true, ''),
  (2, 'rejected', 'Refused by the worker', 2, 0, 0, true,
   'Change the workflow or its values, or update the worker''s ComfyUI, then retry it'),
  (3, 'missing_requirement', 'Missing model or node', 3, 0, 0, true,
   'Install all that is missing on a worker, then retry it'),
  (4, 'out_of_memory', 'Out of memory', 4, 4, 2000, true,
   'Make it smaller or shorter, or register a worker with more memory, then retry it'),
  (5, 'worker_gone', 'Worker gone', 5, 10, 1000, true,
   'See in the worker''s log why it stops, start it again, then retry it'),
  (6, 'output_missing', 'Output missing', 6, 2, 1000, true,
   'Look at the workflow''s save node and at the worker''s output folder, then retry it'),
  (7, 'storage_full', 'Disk full', 7, null, 15000, false,
   'As soon as there is space on the studio''s disk it goes on by itself, within minutes'),
  (8, 'timeout', 'Took too long', 8, 1, 1000, true, 'Make it shorter, or see whether the worker hangs, then retry it'),
  (9, 'thread_died', 'Thread died', 9, 5, 500, true, 'See the studio''s log for what ended the thread, then retry it'),
  (10, 'internal', 'Internal error', 10, 3, 1000, true, ''),
  (11, 'worker_poisoned', 'Worker''s GPU at fault', 11, 5, 2000, false,
   'It happened each time, also after restarts: change what this job does on the GPU, or the driver, then retry it'),
  (12, 'prompt_forgotten', 'Forgotten by the worker', 12, 10, 500, true,
   'See why the worker''s ComfyUI restarts, or who clears its queue, then retry it'),
  (13, 'worker_storage_full', 'Worker''s disk full', 13, null, 15000, false,
   'As soon as there is space on the worker''s disk it goes on by itself, within minutes')
on conflict (id) do update set code = excluded.code, sort = excluded.sort, spends = excluded.spends, mend = excluded.mend;

insert into job_kind (id, code, label, sort, lane_id, max_attempts)
select n, k.code, k.label, n, l.id, 20
  from (values
    (1, 'comfy.generate', 'Generate', 'gpu'),
    (2, 'media.inspect', 'Inspect media', 'cpu'),
    (3, 'media.proxy', 'Make proxy', 'cpu'),
    (4, 'seeds.measure', 'Measure still', 'cpu'),
    (5, 'clips.ingest_take', 'Take in', 'cpu'),
    (6, 'clips.measure_take', 'Measure take', 'cpu'),
    (7, 'clips.stitch', 'Stitch cut', 'cpu'),
    (8, 'clips.measure_cut', 'Measure cut', 'cpu'),
    (9, 'scenes.assemble', 'Assemble master', 'cpu')
  ) as k (n, code, label, lane)
  join lane l on l.code = k.lane
on conflict (id) do update set code = excluded.code, sort = excluded.sort, lane_id = excluded.lane_id;
