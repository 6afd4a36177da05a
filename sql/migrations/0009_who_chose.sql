-- Whose choice a take is; null: the loop's own. A gate never replaces what a person chose.
alter table takes
  add chosen_by_id uuid references users on delete set null,
  add constraint only_chosen_by_someone check (chosen_by_id is null or chosen_at is not null);
create index on takes (chosen_by_id);
