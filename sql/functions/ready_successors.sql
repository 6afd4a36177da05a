-- Queues the blocked jobs that have nothing unfinished to wait for any more, and says how many they are.
create or replace function ready_successors(finished uuid[]) returns integer language plpgsql volatile as $$
declare
  waiting uuid[];
  made integer;
begin
  -- Locked here and judged in the next statement, which sees what was committed while this one waited: of two jobs
  -- that end at the same moment each would else take the other for unfinished.
  select array_agg(l.id) into waiting
    from (select j.id from jobs j
           where j.status_id = 1
             and j.id = any(array(select d.job_id from job_dependencies d where d.needs_job_id = any(finished)))
           order by j.id for no key update) l;
  if waiting is null then return 0; end if;
  update jobs j
     set status_id = 2
   where j.id = any(waiting)
     and not exists (
       select 1 from job_dependencies d join jobs n on n.id = d.needs_job_id
        where d.job_id = j.id and n.status_id <> 5);
  get diagnostics made = row_count;
  return made;
end $$;
