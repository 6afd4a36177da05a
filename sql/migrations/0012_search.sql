-- Names are found by parts and with slips of the finger: trigrams, which PostgreSQL brings along itself.

create schema extensions;
create extension pg_trgm schema extensions;

create index characters_by_name on characters using gin (name extensions.gin_trgm_ops);
create index scenes_by_name on scenes using gin (name extensions.gin_trgm_ops);
create index clips_by_name on clips using gin (name extensions.gin_trgm_ops);
create index assets_by_name on assets using gin (name extensions.gin_trgm_ops);
