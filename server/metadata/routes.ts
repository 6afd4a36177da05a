import * as z from "zod/mini";
import type { Db } from "#server/db/db.ts";
import type { FileStore } from "#server/files/store.ts";
import type { App } from "#server/http/http_env.ts";
import { serveFile } from "#server/http/range.ts";
import { serve } from "#server/http/serve.ts";
import * as contract from "./contract.ts";
import * as service from "./service.ts";

export function metadataRoutes(app: App, { db, store }: { db: Db; store: FileStore }): void {
  serve(app, contract.getCharacterSchema, () => schemaOf("character_metadata", contract.CharacterMetadata));
  serve(app, contract.getVideoSchema, () => schemaOf("video_metadata", contract.VideoMetadata));
  serve(app, contract.getCharacterMetadata, async ({ actor, params, context }) => {
    const file = await service.openDocument(db, actor, {
      kind: "character",
      characterId: params.characterId,
    });
    return await serveFile(context.req.raw, store, { ...file, fileName: "character_metadata.json" });
  });
  serve(app, contract.getVideoMetadata, async ({ actor, params, context }) => {
    const file = await service.openDocument(db, actor, { kind: "video", cutId: params.cutId });
    return await serveFile(context.req.raw, store, { ...file, fileName: "video_metadata.json" });
  });
}

function schemaOf(name: string, schema: z.core.$ZodType): Record<string, unknown> {
  return {
    $id: `/api/schemas/${name}`,
    title: `${name}.json ${contract.SCHEMA_VERSION}`,
    ...z.toJSONSchema(schema, { io: "input" }),
  };
}
