import type { FileRef } from "#server/core/file_ref.ts";
import type { Fragment, Queryable } from "#server/db/db.ts";
import type { CharacterMetadata, DocumentKind, VideoMetadata } from "./contract.ts";

/** All facts of a character's document but its own version and time. */
export async function readCharacter(
  db: Queryable,
  characterId: string,
): Promise<Pick<CharacterMetadata, "project" | "character" | "seeds"> | undefined> {
  const [row] = await db<Pick<CharacterMetadata, "project" | "character" | "seeds">[]>`
    select json_build_object('id', p.id, 'name', p.name) as project,
           json_build_object('id', c.id, 'name', c.name, 'description', c.description, 'status', s.code,
             'created_at', ${instant(db, db`c.created_at`)}) as character,
           coalesce((
             select json_agg(json_build_object(
                      'id', e.id, 'kind', k.code, 'origin', o.code, 'status', t.code, 'sha256', f.hash, 'media_type', m.code,
                      'width_px', x.width_px, 'height_px', x.height_px, 'derived_from', e.derived_from_seed_id,
                      'random_seed', e.random_seed, 'stale_at', ${instant(db, db`e.stale_at`)},
                      'approved_at', ${
    instant(db, db`v.approved_at`)
  }, 'likeness', q.likeness, 'sharpness', q.sharpness,
                      'created_at', ${instant(db, db`e.created_at`)}) order by e.id)
               from seeds e
               join seed_kind k on k.id = e.kind_id
               join seed_origin o on o.id = e.origin_id
               join seed_status t on t.id = e.status_id
               join assets a on a.id = e.asset_id
               join files f on f.hash = a.file_hash
               join media_type m on m.id = f.media_type_id
               left join media_facts x on x.file_hash = f.hash
               left join seed_approvals v on v.seed_id = e.id
               left join seed_measures q on q.seed_id = e.id
              where e.character_id = c.id), '[]') as seeds
      from characters c
      join projects p on p.id = c.project_id
      join character_status s on s.id = c.status_id
     where c.id = ${characterId}`;
  return row;
}

type VideoFacts =
  & Omit<VideoMetadata, "$schema" | "schema_version" | "document_version" | "written_at" | "technical">
  & {
    readonly technical: Omit<VideoMetadata["technical"], "start_timecode" | "duration_us"> & {
      readonly start_frame: number;
    };
  };

/** All facts of a cut's document. */
export async function readVideo(db: Queryable, cutId: string): Promise<VideoFacts | undefined> {
  const [row] = await db<VideoFacts[]>`
    select json_build_object('id', p.id, 'name', p.name) as project,
           json_build_object('id', s.id, 'name', s.name) as scene,
           json_build_object('id', c.id, 'name', c.name, 'prompt', c.prompt, 'negative_prompt', c.negative_prompt) as clip,
           json_build_object('id', h.id, 'name', h.name) as character,
           json_build_object('id', u.id, 'number', u.number, 'sha256', f.hash, 'size_bytes', f.size_bytes, 'media_type', m.code) as cut,
           json_build_object(
             'rate', json_build_object('num', u.rate_num, 'den', u.rate_den), 'frames', u.frames, 'start_frame', p.start_frame,
             'width_px', u.width_px, 'height_px', u.height_px, 'codec', x.codec, 'pixel_format', x.pixel_format,
             'color_primaries', x.color_primaries, 'color_transfer', x.color_transfer, 'color_matrix', x.color_matrix,
             'color_range', x.color_range,
             'conform', json_build_object('rule', r.code, 'native_rate', (
               select json_build_object('num', t.rate_num, 'den', t.rate_den) from cut_parts q join takes t on t.id = q.take_id
                where q.cut_id = u.id order by q.index limit 1))) as technical,
           json_build_object('seed_id', c.hero_seed_id, 'sha256', ${
    seedHash(db, db`c.hero_seed_id`)
  }) as hero,
           json_build_object('seed_id', c.portrait_seed_id, 'sha256', ${
    seedHash(db, db`c.portrait_seed_id`)
  }) as portrait,
           (${segments(db)}) as segments,
           json_build_object('likeness', (${cutLikeness(db)}),
             'gate', (select json_build_object('verdict', g.code, 'reasons', u.gate_reasons, 'segment', u.gate_segment)
                        from gate_verdict g where g.id = u.gate_verdict_id),
             'seams', coalesce((
             select json_agg(json_build_object('frame', e.frame, 'verdict', v.code, 'jump', e.jump, 'reversal', e.reversal,
                      'color_step', e.color_step, 'luma_step', e.luma_step, 'sharpness_ratio', e.sharpness_ratio,
                      'reasons', e.reasons) order by e.frame)
               from cut_seams e join seam_verdict v on v.id = e.verdict_id where e.cut_id = u.id), '[]')) as quality,
           json_build_object('outcome', us.code, 'decisions', coalesce((
             select json_agg(json_build_object('decision', k.code,
                      'by', case when w.id is not null then json_build_object('id', w.id, 'name', w.display_name) end,
                      'at', ${instant(db, db`d.decided_at`)}, 'sha256', d.file_hash, 'note', d.note,
                      'undone_at', ${instant(db, db`d.undone_at`)}) order by d.decided_at)
               from decisions d join decision_kind k on k.id = d.kind_id left join users w on w.id = d.decided_by_id
              where d.cut_id = u.id), '[]')) as review
      from cuts u
      join cut_status us on us.id = u.status_id
      join clips c on c.id = u.clip_id
      join scenes s on s.id = c.scene_id
      join projects p on p.id = c.project_id
      join characters h on h.id = c.character_id
      join conform_rule r on r.id = u.conform_rule_id
      join assets a on a.id = u.asset_id
      join files f on f.hash = a.file_hash
      join media_type m on m.id = f.media_type_id
      left join media_facts x on x.file_hash = f.hash
     where u.id = ${cutId}`;
  return row;
}

const instant = (db: Queryable, column: Fragment) =>
  db`to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const seedHash = (db: Queryable, column: Fragment) =>
  db`(select a.file_hash from seeds x join assets a on a.id = x.asset_id where x.id = ${column})`;

const segments = (db: Queryable) =>
  db`
  select json_agg(json_build_object(
           'index', q.index, 'take_id', t.id, 'take_number', t.number, 'first_frame', q.first_frame,
           'last_frame', coalesce(q.next_frame, u.frames) - 1, 'source_first_frame', q.source_first_frame,
           'source_frame_count', q.source_frame_count, 'retimed_frame_count', q.retimed_frame_count,
           'source_sha256', (select file_hash from assets where id = t.intermediate_asset_id),
           'random_seed', t.random_seed, 'stability', t.stability,
           'likeness', (select json_build_object('model', json_build_object('name', y.name, 'sha256', y.hash, 'metric', y.metric),
                                'median', l.median, 'min', l.min, 'coverage', l.coverage)
                          from take_likeness l join face_models y on y.id = l.face_model_id where l.take_id = t.id),
           'gate', json_build_object('verdict', g.code, 'reasons', t.gate_reasons),
           'starts_from_take_id', t.starts_from_take_id, 'start_sha256', t.start_file_hash,
           'provenance', (
             select json_build_object(
                      'workflow', (select json_build_object('code', w.code, 'version', v.number, 'content_hash', v.content_hash)
                                     from workflow_versions v join workflows w on w.id = v.workflow_id where v.id = n.workflow_version_id),
                      'worker', (select name from workers where id = n.worker_id),
                      'software', n.software, 'software_version', n.software_version, 'graph', n.graph, 'parameters', n.parameters,
                      'models', coalesce((select jsonb_agg(jsonb_build_object('folder', e -> 'folder', 'name', e -> 'name', 'sha256', null))
                                   from workflow_versions v, jsonb_array_elements(v.manifest #> '{requires,models}') e
                                  where v.id = n.workflow_version_id), '[]'),
                      'inputs', coalesce((select json_object_agg(i.parameter, i.file_hash) from provenance_inputs i where i.asset_id = n.asset_id), '{}'),
                      'timings', n.timings)
               from provenance n where n.asset_id = t.raw_asset_id)) order by q.index)
    from (select z.*, lead(z.first_frame) over (order by z.index) as next_frame from cut_parts z where z.cut_id = u.id) q
    join takes t on t.id = q.take_id
    left join gate_verdict g on g.id = t.gate_verdict_id`;

const cutLikeness = (db: Queryable) =>
  db`
  select json_build_object('model', json_build_object('name', y.name, 'sha256', y.hash, 'metric', y.metric),
           'median', l.median, 'min', l.min, 'coverage', l.coverage)
    from cut_likeness l join face_models y on y.id = l.face_model_id where l.cut_id = u.id`;

export interface DocumentSubject {
  readonly kind: DocumentKind;
  readonly characterId?: string;
  readonly cutId?: string;
}

/** Writers of one subject's documents take turns, so that versions count up and each reads what the last has read. */
export async function lockCharacter(db: Queryable, characterId: string): Promise<void> {
  await db`select 1 from characters where id = ${characterId} for no key update`;
}

export async function lockCut(db: Queryable, cutId: string): Promise<void> {
  await db`select 1 from cuts where id = ${cutId} for no key update`;
}

export async function insertDocument(
  db: Queryable,
  document: DocumentSubject & { id: string; version: number; schemaVersion: string; assetId: string },
): Promise<void> {
  await db`
    insert into documents (id, kind_id, character_id, cut_id, version, schema_version, asset_id)
    select ${document.id}, k.id, ${document.characterId ?? null}, ${
    document.cutId ?? null
  }, ${document.version},
           ${document.schemaVersion}, ${document.assetId}
      from document_kind k where k.code = ${document.kind}`;
}

/** A document's file, and the project to which it belongs. */
export interface FoundDocument extends FileRef {
  readonly assetId: string;
  readonly projectId: string;
  readonly version: number;
}

/** The newest document's file. */
export async function findDocument(
  db: Queryable,
  subject: DocumentSubject,
): Promise<FoundDocument | undefined> {
  const [row] = await db<FoundDocument[]>`
    select f.hash, f.size_bytes, m.code as media_type, a.id as asset_id, a.project_id, d.version
      from documents d
      join assets a on a.id = d.asset_id
      join files f on f.hash = a.file_hash
      join media_type m on m.id = f.media_type_id
     where ${
    subject.characterId
      ? db`d.character_id = ${subject.characterId}`
      : db`d.cut_id = ${subject.cutId ?? null}`
  }
     order by d.version desc
     limit 1`;
  return row;
}

/** What has changed, of which documents may tell. */
export type DocumentScope =
  | { readonly projectId: string }
  | { readonly sceneId: string }
  | { readonly clipId: string }
  | { readonly characterId: string };

/** Characters and cuts of the scope that have a document, in an order that all writers share. */
export async function listSubjects(
  db: Queryable,
  scope: DocumentScope,
): Promise<{ characterIds: string[]; cutIds: string[] }> {
  const inScope = "projectId" in scope
    ? db`c.project_id = ${scope.projectId}`
    : "sceneId" in scope
    ? db`c.scene_id = ${scope.sceneId}`
    : "clipId" in scope
    ? db`c.id = ${scope.clipId}`
    : db`c.character_id = ${scope.characterId}`;
  const cuts = await db<{ id: string }[]>`
    select u.id from cuts u join clips c on c.id = u.clip_id
     where ${inScope} and exists (select 1 from documents d where d.cut_id = u.id) order by u.id`;
  const characters = "projectId" in scope
    ? await db<{ id: string }[]>`
        select c.id from characters c
         where c.project_id = ${scope.projectId} and exists (select 1 from documents d where d.character_id = c.id)
         order by c.id`
    : "characterId" in scope
    ? [{ id: scope.characterId }]
    : [];
  return { characterIds: characters.map(({ id }) => id), cutIds: cuts.map(({ id }) => id) };
}
