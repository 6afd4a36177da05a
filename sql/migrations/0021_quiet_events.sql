-- A statement that wrote no event told every hub to look for one, with an empty number: each renewal of leases did.
create or replace function announce_event() returns trigger language plpgsql as $$
declare
  newest bigint;
begin
  select max(seq) into newest from inserted;
  -- The number only: payloads are small, equal ones fold, and the row is read by whoever needs it.
  if newest is not null then perform pg_notify('seedloop_events', newest::text); end if;
  return null;
end $$;
