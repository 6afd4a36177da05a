import type { FileRef } from "#server/core/file_ref.ts";
import type { PageQuery } from "#server/core/page.ts";
import { type Db, type Fragment, type Json, literal, type Queryable } from "#server/db/db.ts";
import { lookupCodes } from "#server/db/lookup_codes.ts";
import type { Asset, AssetKind, DerivativeKind, RetentionClass } from "./contract.ts";
import type { MediaFacts } from "./job_kinds.ts";

/** Makes the file's row; the file itself is durable in the store by now (SPEC rule 2). Idempotent. */
export async function insertFile(db: Queryable, file: FileRef): Promise<void> {
  await db`${fileStep(db, file)}`;
}

function fileStep(db: Queryable, file: FileRef): Fragment {
  return db`
    insert into files (hash, size_bytes, media_type_id)
    select ${file.hash}, ${file.sizeBytes},
           coalesce((select id from media_type where code = ${file.mediaType}),
                    (select id from media_type where code = 'application/octet-stream'))
    on conflict (hash) do nothing`;
}

export interface AssetInsert {
  readonly id: string;
  readonly projectId: string | null;
  readonly file: FileRef;
  readonly kind: AssetKind;
  readonly retention: RetentionClass;
  readonly name: string;
  readonly createdById: string | null;
}

/**
 * Makes the asset's row and its file's, and does `told` with them, a step on the row `made`, if there is one. False when
 * an asset of this id is there already.
 */
export async function insertAsset(db: Queryable, asset: AssetInsert, told?: Fragment): Promise<boolean> {
  const rows = await db`
    with file as (${fileStep(db, asset.file)}),
    made as (
      insert into assets (id, project_id, file_hash, kind_id, retention_class_id, name, created_by_id)
      select ${asset.id}, ${asset.projectId}, ${asset.file.hash}, k.id, r.id, ${
    asset.name.slice(0, 255)
  }, ${asset.createdById}
        from asset_kind k, retention_class r where k.code = ${asset.kind} and r.code = ${asset.retention}
      on conflict (id) do nothing
      returning 1)
    ${told ? db`, told as (${told})` : db``}
    select 1 from made`;
  return rows.length > 0;
}

/** The layout of an asset's hover sprite, as an expression; null while it has none. `assetId` is a column, "t.asset_id". */
export const spriteOf = (db: Queryable, assetId: string): Fragment =>
  db`(select sheet.layout from assets shown join derivatives sheet on sheet.source_hash = shown.file_hash
       where shown.id = ${
    db(assetId)
  } and sheet.kind_id = (select id from derivative_kind where code = 'sprite'))`;

const selectAsset = (db: Queryable) =>
  db`
  select a.id, a.project_id, k.code as kind, r.code as retention, a.name, f.hash, f.size_bytes,
         t.code as media_type, a.created_at, m.reply_json::json as facts,
         array(select d.code from derivatives x join derivative_kind d on d.id = x.kind_id
                where x.source_hash = f.hash order by d.sort) as derivatives,
         ${spriteOf(db, "a.id")} as sprite,
         case when i.file_hash is not null then json_build_object('status', s.code, 'failure', i.failure) end as inspection
    from assets a
    join files f on f.hash = a.file_hash
    join media_type t on t.id = f.media_type_id
    join asset_kind k on k.id = a.kind_id
    join retention_class r on r.id = a.retention_class_id
    left join media_facts m on m.file_hash = f.hash
    left join file_inspections i on i.file_hash = f.hash
    left join inspection_status s on s.id = i.status_id`;

export async function findAsset(db: Queryable, assetId: string): Promise<Asset | undefined> {
  const [row] = await db<Asset[]>`${selectAsset(db)} where a.id = ${assetId}`;
  return row;
}

/**
 * What the statement `access` found (nothing for strangers) and, if it is allowed, a page of assets: the text of its
 * items, and the id after which the next page begins, if there is one. PostgreSQL puts it together from what it keeps
 * ready of each file: joins for four codes a row, and a row for each asset, took most of a page's time.
 */
export async function listAssetTexts<Access extends { readonly isAllowed: boolean }>(
  db: Db,
  access: Fragment,
  projectId: string,
  { limit, cursor, kind }: PageQuery & { kind?: AssetKind | undefined },
): Promise<{ access: Access | undefined; items: string; next: string | undefined }> {
  const [kinds, retentions, inspections] = await Promise.all([
    lookupCodes(db, "asset_kind"),
    lookupCodes(db, "retention_class"),
    lookupCodes(db, "inspection_status"),
  ]);
  const [found] = await db<(Access & { items: string | null; next: string | null })[]>`
    select access.*, page.*
      from (${access}) access
      left join lateral (
        select string_agg(item.text, ',') filter (where item.n <= ${literal(db, limit)}) as items,
               case when count(*) > ${literal(db, limit)}
                    then max(item.id::text) filter (where item.n = ${literal(db, limit)}) end as next
          from (
            select a.id, row_number() over (order by a.id desc) as n,
                   '{"id":"' || a.id || '","projectId":"' || a.project_id
                   || '","kind":"' || (${codesById(kinds)}::text[])[a.kind_id]
                   || '","retention":"' || (${codesById(retentions)}::text[])[a.retention_class_id]
                   || '","name":' || to_json(a.name)
                   || ',"createdAt":"' || to_char(a.created_at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
                   || '",' || f.card || ',"inspection":'
                   || coalesce('{"status":"' || (${codesById(inspections)}::text[])[i.status_id]
                               || '","failure":' || coalesce(to_json(i.failure)::text, 'null') || '}', 'null')
                   || '}' as text
              from assets a
              join files f on f.hash = a.file_hash
              left join file_inspections i on i.file_hash = a.file_hash
             where a.project_id = ${projectId}
               ${kind ? db`and a.kind_id = (select id from asset_kind where code = ${kind})` : db``}
               ${cursor ? db`and a.id < ${cursor}` : db``}
             order by a.id desc
             limit ${literal(db, limit + 1)}) item) page on access.is_allowed`;
  return { access: found, items: found?.items ?? "", next: found?.next ?? undefined };
}

/** The codes as PostgreSQL counts an array, from 1, with the code of an id in its place. */
function codesById(codes: ReadonlyMap<number, string>): (string | null)[] {
  return Array.from({ length: Math.max(...codes.keys()) }, (_, index) => codes.get(index + 1) ?? null);
}

export async function deleteAsset(db: Queryable, assetId: string): Promise<void> {
  await db`delete from assets where id = ${assetId}`;
}

export async function upsertFacts(db: Queryable, hash: string, facts: MediaFacts): Promise<void> {
  const row = {
    fileHash: hash,
    container: facts.container,
    codec: facts.codec ?? null,
    widthPx: facts.widthPx ?? null,
    heightPx: facts.heightPx ?? null,
    rotationDeg: facts.rotationDeg ?? null,
    pixelFormat: facts.pixelFormat ?? null,
    bitDepth: facts.bitDepth ?? null,
    hasAlpha: facts.hasAlpha ?? null,
    rateNum: facts.rate?.num ?? null,
    rateDen: facts.rate?.den ?? null,
    isConstantRate: facts.isConstantRate ?? null,
    frameCount: facts.frameCount ?? null,
    durationUs: facts.durationUs ?? null,
    colorPrimaries: facts.colorPrimaries ?? null,
    colorTransfer: facts.colorTransfer ?? null,
    colorMatrix: facts.colorMatrix ?? null,
    colorRange: facts.colorRange ?? null,
    hasAudio: facts.hasAudio ?? null,
  };
  await db`insert into media_facts ${db(row)} on conflict (file_hash) do update set ${db(row)}`;
}

export async function insertDerivative(
  db: Queryable,
  sourceHash: string,
  kind: DerivativeKind,
  file: FileRef,
  layout?: unknown,
): Promise<void> {
  await insertFile(db, file);
  await db`
    insert into derivatives (source_hash, kind_id, file_hash, layout)
    select ${sourceHash}, id, ${file.hash}, ${layout === undefined ? null : db.json(layout as Json)}
      from derivative_kind where code = ${kind}
    on conflict (source_hash, kind_id) do update set file_hash = excluded.file_hash, layout = excluded.layout`;
}

export async function findFile(db: Queryable, hash: string): Promise<FileRef | undefined> {
  const [row] = await db<FileRef[]>`
    select f.hash, f.size_bytes, t.code as media_type from files f join media_type t on t.id = f.media_type_id where f.hash = ${hash}`;
  return row;
}

export async function findDerivative(
  db: Queryable,
  sourceHash: string,
  kind: DerivativeKind,
): Promise<FileRef | undefined> {
  const [row] = await db<FileRef[]>`
    select f.hash, f.size_bytes, t.code as media_type
      from derivatives d
      join derivative_kind k on k.id = d.kind_id
      join files f on f.hash = d.file_hash
      join media_type t on t.id = f.media_type_id
     where d.source_hash = ${sourceHash} and k.code = ${kind}`;
  return row;
}

/** Where an asset is used, as sentences: what stands in the way of deleting it. */
export async function listUses(db: Queryable, assetId: string): Promise<string[]> {
  const rows = await db<{ use: string }[]>`
    select 'seed of ' || c.name as use from seeds s join characters c on c.id = s.character_id where s.asset_id = ${assetId}
    union all
    select 'take of clip ' || c.name from takes t join segments g on g.id = t.segment_id join clips c on c.id = g.clip_id
     where ${assetId} in (t.raw_asset_id, t.intermediate_asset_id, t.end_image_asset_id)
    union all
    select 'cut ' || u.number || ' of clip ' || c.name from cuts u join clips c on c.id = u.clip_id
     where ${assetId} in (u.asset_id, u.intermediate_asset_id)
    union all
    select 'master ' || m.number || ' of scene ' || s.name from masters m join scenes s on s.id = m.scene_id where m.asset_id = ${assetId}
    union all
    select 'metadata' from documents where asset_id = ${assetId}
    union all
    select 'delivery' from delivery_files where asset_id = ${assetId}
    limit 20`;
  return rows.map((row) => row.use);
}

export interface Provenance {
  readonly jobId: string;
  readonly workflowVersionId: string | null;
  readonly workerId: string | null;
  readonly software: string;
  readonly softwareVersion: string;
  readonly randomSeed: number | null;
  readonly graph?: unknown;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly timings: unknown;
  /** Input files by the parameter that they were bound to. */
  readonly inputs: Readonly<Record<string, string>>;
}

export async function insertProvenance(db: Queryable, assetId: string, made: Provenance): Promise<void> {
  await db`
    with made as (
      insert into provenance (asset_id, job_id, workflow_version_id, worker_id, software, software_version, random_seed,
                              graph, parameters, timings)
      values (${assetId}, ${made.jobId}, ${made.workflowVersionId}, ${made.workerId}, ${made.software}, ${made.softwareVersion},
              ${made.randomSeed}, ${made.graph === undefined ? null : db.json(made.graph as Json)},
              ${db.json(made.parameters as Json)}, ${db.json(made.timings as Json)})
      on conflict (asset_id) do nothing)
    insert into provenance_inputs (asset_id, file_hash, parameter)
    select ${assetId}, g.value, g.key from jsonb_each_text(${db.json(made.inputs)}) g
    on conflict (asset_id, parameter) do nothing`;
}

/** Begins the look into a file; false when it was begun before. A failed one is begun anew. */
export async function openInspection(db: Queryable, hash: string): Promise<boolean> {
  const rows = await db`
    insert into file_inspections (file_hash, status_id)
    select ${hash}, id from inspection_status where code = 'waiting'
    on conflict (file_hash) do update set status_id = excluded.status_id, failure = null, updated_at = now()
      where file_inspections.status_id = (select id from inspection_status where code = 'failed')
    returning 1`;
  return rows.length > 0;
}

/** Ends a look that is open; false when none is. */
export async function closeInspection(db: Queryable, hash: string, failure: string | null): Promise<boolean> {
  const rows = await db`
    update file_inspections
       set status_id = (select id from inspection_status where code = ${
    failure === null ? "done" : "failed"
  }),
           failure = ${failure}, updated_at = now()
     where file_hash = ${hash} and status_id = (select id from inspection_status where code = 'waiting')
    returning 1`;
  return rows.length > 0;
}

/** Takes back that a look has failed; false when none has. */
export async function reopenInspection(db: Queryable, hash: string): Promise<boolean> {
  const rows = await db`
    update file_inspections
       set status_id = (select id from inspection_status where code = 'waiting'), failure = null, updated_at = now()
     where file_hash = ${hash} and status_id = (select id from inspection_status where code = 'failed')
    returning 1`;
  return rows.length > 0;
}

/** Whether a look into the file is open, which is held until the transaction ends. */
export async function lockOpenInspection(db: Queryable, hash: string): Promise<boolean> {
  const rows = await db`
    select 1 from file_inspections i join inspection_status s on s.id = i.status_id
     where i.file_hash = ${hash} and s.code = 'waiting' for update of i`;
  return rows.length > 0;
}

/** Assets that have this content, with their projects. */
export async function listAssetsOf(
  db: Queryable,
  hash: string,
): Promise<{ id: string; projectId: string | null }[]> {
  return await db<{ id: string; projectId: string | null }[]>`
    select id, project_id from assets where file_hash = ${hash} order by id`;
}
