-- A full disk is nobody's fault and somebody frees it some time: what waits for that is tried again without end, and
-- none of its own budget is spent. The wait between two tries grows to five minutes.
alter table failure_class alter column retries drop not null;
comment on column failure_class.retries is
  'Null: tried again until it works or a person cancels it. For out_of_memory: once with empty memory, then on ever larger workers; ends earlier when there is no larger one';
-- Rows that nobody has tuned get the new rule; their other columns follow from lookups/.
update failure_class set retries = null where (code, retries) in (('storage_full', 20), ('worker_storage_full', 6));
