import type { Json, Queryable } from "#server/db/db.ts";

export interface SettingRow {
  readonly value: unknown;
  readonly updatedAt: string;
  readonly login: string | null;
}

/** `kind` is a code of `setting_kind`. */
export interface NewSetting {
  readonly code: string;
  readonly kind: string;
  readonly value: unknown;
  readonly userId: string | undefined;
}

export async function findSetting(db: Queryable, code: string): Promise<SettingRow | undefined> {
  const [row] = await db<SettingRow[]>`
    select s.value, s.updated_at, u.login
      from settings s left join users u on u.id = s.updated_by_id
     where s.code = ${code}`;
  return row;
}

/** Holds a setting for this transaction, whether it exists or not: two who save it wait for each other. */
export async function lockSetting(db: Queryable, code: string): Promise<void> {
  await db`select pg_advisory_xact_lock(hashtextextended(${`setting ${code}`}, 0))`;
}

export async function putSetting(db: Queryable, { code, kind, value, userId }: NewSetting): Promise<void> {
  await db`
    insert into settings (code, kind_id, value, updated_by_id)
    select ${code}, k.id, ${db.json(value as Json)}, ${
    userId ?? null
  } from setting_kind k where k.code = ${kind}
    on conflict (code) do update
       set value = excluded.value, updated_by_id = excluded.updated_by_id, updated_at = now()`;
}
