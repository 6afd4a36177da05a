import { newId } from "#server/core/id.ts";
import type { Db } from "#server/db/db.ts";

/** The page as one would write it first: rows, of which the route makes JSON. $1 is the project. */
export const NAIVE_SQL = `
  select a.id, a.project_id as "projectId", k.code as kind, r.code as retention, a.name, f.hash,
         f.size_bytes as "sizeBytes", t.code as "mediaType", a.created_at as "createdAt",
         case when m.file_hash is null then null else json_strip_nulls(json_build_object(
           'container', m.container, 'codec', m.codec, 'widthPx', m.width_px, 'heightPx', m.height_px,
           'rotationDeg', m.rotation_deg, 'pixelFormat', m.pixel_format, 'bitDepth', m.bit_depth,
           'hasAlpha', m.has_alpha,
           'rate', case when m.rate_num is not null then json_build_object('num', m.rate_num, 'den', m.rate_den) end,
           'isConstantRate', m.is_constant_rate, 'frameCount', m.frame_count, 'durationUs', m.duration_us,
           'colorPrimaries', m.color_primaries, 'colorTransfer', m.color_transfer, 'colorMatrix', m.color_matrix,
           'colorRange', m.color_range, 'hasAudio', m.has_audio)) end as facts,
         array(select d.code from derivatives x join derivative_kind d on d.id = x.kind_id
                where x.source_hash = f.hash order by d.sort) as derivatives
    from assets a
    join files f on f.hash = a.file_hash
    join media_type t on t.id = f.media_type_id
    join asset_kind k on k.id = a.kind_id
    join retention_class r on r.id = a.retention_class_id
    left join media_facts m on m.file_hash = f.hash
   where a.project_id = $1
   order by a.id desc
   limit 51`;

/** So many videos with what is known of them, each with a thumbnail, in one project; returns its id. */
export async function givenAssets(db: Db, count: number): Promise<string> {
  const projectId = newId<"project">();
  await db`
    insert into projects (id, name, status_id, rate_num, rate_den, width_px, height_px)
    select ${projectId}, 'Bench', id, 24, 1, 64, 64 from project_status where code = 'active'`;
  // deno-lint-ignore house/no-unsafe-sql -- a piece of SQL with one of two fixed words
  const hash = (prefix: string) => db.unsafe(`encode(sha256(('${prefix}' || n)::bytea), 'hex')`);
  for (const prefix of ["video", "thumbnail"]) {
    await db`
      insert into files (hash, size_bytes, media_type_id)
      select ${hash(prefix)}, 1000 + n, t.id from generate_series(1, ${count}) n, media_type t
       where t.code = ${prefix === "video" ? "video/mp4" : "image/png"}`;
  }
  await db`
    insert into media_facts (file_hash, container, codec, width_px, height_px, rotation_deg, pixel_format, bit_depth,
           has_alpha, rate_num, rate_den, is_constant_rate, frame_count, duration_us, has_audio)
    select ${
    hash("video")
  }, 'mp4', 'h264', 1280, 720, 0, 'yuv420p', 8, false, 24, 1, true, 120, 5000000, false
      from generate_series(1, ${count}) n`;
  await db`
    insert into derivatives (source_hash, kind_id, file_hash)
    select ${hash("video")}, d.id, ${hash("thumbnail")} from generate_series(1, ${count}) n, derivative_kind d
     where d.code = 'thumbnail'`;
  await db`
    insert into assets (id, project_id, file_hash, kind_id, retention_class_id, name)
    select ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, ${projectId}, ${
    hash("video")
  }, k.id, r.id,
           'Scene_010_Clip_' || n || '.mp4'
      from generate_series(1, ${count}) n, asset_kind k, retention_class r
     where k.code = 'take' and r.code = 'keep'`;
  await db`vacuum analyze files, assets, media_facts, derivatives`;
  return projectId;
}
