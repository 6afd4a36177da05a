import type { Db } from "./db.ts";

/**
 * What PRD-00 forbids, as sentences: columns named like a status, role, kind or type that are no foreign key,
 * foreign keys without an index that starts with their columns, foreign keys whose delete rule was left out.
 */
export async function findCatalogFaults(db: Db): Promise<string[]> {
  const loose = await db<{ place: string }[]>`
    select c.relname || '.' || a.attname as place
      from pg_attribute a
      join pg_class c on c.oid = a.attrelid and c.relkind in ('r', 'p')
      join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public'
     where a.attnum > 0 and not a.attisdropped
       and a.attname ~ '(status|state|role|kind|type|severity|reason_code)(_id|_code)?$'
       and not exists (
         select 1 from pg_constraint f where f.contype = 'f' and f.conrelid = c.oid and a.attnum = any(f.conkey))
     order by 1`;
  const keys = await db<{ place: string; isIndexed: boolean; deleteRule: string }[]>`
    select c.relname || '.' || (
             select string_agg(a.attname, ',' order by k.n)
               from unnest(f.conkey) with ordinality as k (attnum, n)
               join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum) as place,
           exists (
             select 1 from pg_index i
              where i.indrelid = c.oid
                and (select array_agg(x order by x) from unnest((i.indkey::smallint[])[0:cardinality(f.conkey) - 1]) x)
                  = (select array_agg(x order by x) from unnest(f.conkey) x)) as is_indexed,
           f.confdeltype::text as delete_rule
      from pg_constraint f
      join pg_class c on c.oid = f.conrelid
      join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public'
     where f.contype = 'f'
     order by 1`;
  return [
    ...loose.map(({ place }) =>
      `${place} is named like a status, role, kind or type, but is no foreign key to a lookup`
    ),
    ...keys.filter((key) => !key.isIndexed).map(({ place }) => `${place} is a foreign key without an index`),
    // "a" is NO ACTION, which is what PostgreSQL takes when nothing is said.
    ...keys.filter((key) => key.deleteRule === "a").map(({ place }) =>
      `${place} is a foreign key without a stated delete rule`
    ),
  ];
}

/** The schema as text, in a stable order: what `sql/schema.sql` holds, so that a change shows in review. */
export async function dumpSchema(db: Db): Promise<string> {
  const tables = await db<
    { name: string; columns: string[]; constraints: string[]; indexes: string[]; triggers: string[] }[]
  >`
    select c.relname as name,
           (select array_agg(format('%I %s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
                     case when a.attidentity <> '' then ' generated always as identity' else coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') end,
                     case when a.attnotnull then ' not null' else '' end) order by a.attnum)
              from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
             where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
           coalesce((select array_agg(format('constraint %I %s', k.conname, pg_get_constraintdef(k.oid)) order by k.contype, k.conname)
              from pg_constraint k where k.conrelid = c.oid and k.contype <> 'n'), '{}') as constraints,
           coalesce((select array_agg(pg_get_indexdef(i.indexrelid) order by i.indexrelid::regclass::text)
              from pg_index i where i.indrelid = c.oid
               and not exists (select 1 from pg_constraint k where k.conindid = i.indexrelid)), '{}') as indexes,
           coalesce((select array_agg(pg_get_triggerdef(t.oid) order by t.tgname)
              from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal), '{}') as triggers
      from pg_class c join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public'
     where c.relkind = 'r'
     order by c.relname`;
  const functions = await db<{ text: string }[]>`
    select pg_get_functiondef(p.oid) as text
      from pg_proc p join pg_namespace n on n.oid = p.pronamespace and n.nspname = 'public'
     where p.prokind = 'f' order by p.proname`;
  const views = await db<{ text: string }[]>`
    select format('create view %I as%s%s', viewname, E'\\n', definition) as text
      from pg_views where schemaname = 'public' order by viewname`;
  const body = tables.map((table) =>
    [
      `create table ${table.name} (\n  ${[...table.columns, ...table.constraints].join(",\n  ")}\n);`,
      ...table.indexes.map((text) => `${text};`),
      ...table.triggers.map((text) => `${text};`),
    ].join("\n")
  );
  return [
    "-- Written by `deno task schema`; a test keeps it true. Read the changes here, make them in migrations/.",
    ...body,
    ...functions.map(({ text }) => `${text.trimEnd()};`),
    ...views.map(({ text }) => text),
    "",
  ].join("\n\n");
}
