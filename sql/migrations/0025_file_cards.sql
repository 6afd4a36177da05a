-- What a list says of a file and what was made of it, ready as the members of a JSON object: to gather it from its
-- tables for each of fifty files took most of a page's time. A copy, kept by triggers in the transaction that changes
-- what it says; the tables stay what is asked. It has no status: those change, and are looked up. It has codes, so a
-- migration that changes one of a media type or of a derivative makes the cards anew.
create function file_card(file files) returns text language sql stable as $$
  select concat(
    '"hash":"', file.hash, '","sizeBytes":', file.size_bytes, ',"mediaType":',
    (select to_json(code) from media_type where id = file.media_type_id),
    ',"facts":', coalesce((select reply_json from media_facts where file_hash = file.hash), 'null'),
    ',"derivatives":', coalesce(
      (select json_agg(k.code order by k.sort, k.id)::text
         from derivatives d join derivative_kind k on k.id = d.kind_id where d.source_hash = file.hash), '[]'),
    ',"sprite":', coalesce(
      (select d.layout::text
         from derivatives d join derivative_kind k on k.id = d.kind_id and k.code = 'sprite'
        where d.source_hash = file.hash), 'null'))
$$;

alter table files add column card text;
comment on column files.card is 'What file_card() says of the row, kept by triggers';
update files f set card = file_card(f);
alter table files alter column card set not null;

create function write_file_card() returns trigger language plpgsql as $$
begin
  new.card := file_card(new);
  return new;
end $$;
create trigger card_is_written before insert or update of hash, size_bytes, media_type_id on files
  for each row execute function write_file_card();

create function renew_file_card(file_hash text) returns void language plpgsql as $$
begin
  -- Locked here and read in the next statement, which sees what was committed while this one waited: of two changes at
  -- the same moment the card has both.
  perform 1 from files f where f.hash = file_hash for no key update;
  update files f set card = file_card(f) where f.hash = file_hash;
end $$;

create function follow_media_facts() returns trigger language plpgsql as $$
begin
  perform renew_file_card(coalesce(new.file_hash, old.file_hash));
  return null;
end $$;
create trigger card_follows after insert or update or delete on media_facts
  for each row execute function follow_media_facts();

create function follow_derivatives() returns trigger language plpgsql as $$
begin
  perform renew_file_card(coalesce(new.source_hash, old.source_hash));
  return null;
end $$;
create trigger card_follows after insert or update or delete on derivatives
  for each row execute function follow_derivatives();
