-- A code keeps the id that rows refer to: one put into the middle of a list would give every row after it another
-- meaning. To rename a code, change its row in a migration of its own.
create or replace function fill_lookup(name text, variadic codes text[]) returns void language plpgsql as $$
declare
  moved text;
begin
  execute format('select l.code from %I l where l.id <= cardinality($1) and l.code <> $1[l.id] order by l.id limit 1', name)
    into moved using codes;
  if moved is not null then
    raise exception 'Cannot fill %: its list has another code in the place of "%". Add new codes at the end', name, moved;
  end if;
  execute format(
    'insert into %I (id, code, label, sort)
     select n, c, upper(left(replace(c, ''_'', '' ''), 1)) || substr(replace(c, ''_'', '' ''), 2), n
       from unnest($1) with ordinality as list (c, n)
     on conflict (id) do update set sort = excluded.sort', name) using codes;
end $$;
