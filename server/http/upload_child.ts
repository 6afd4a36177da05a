import { join } from "@std/path/mod.js";
import { openLocalStore } from "#server/files/local_store.ts";
import { createApp } from "./create_app.ts";
import { serveUploads } from "./upload.ts";
import { openUploadFolder } from "./upload_folder.ts";

/** Run by upload_test.ts: serves uploads in the named folder, says its port, and appends what was finished to a file. */
export async function serveForTest(folder: string): Promise<Deno.HttpServer<Deno.NetAddr>> {
  const app = createApp();
  app.use(async (context, next) => {
    const userId = context.req.header("x-user") ?? "u1";
    context.set("actor", {
      userId,
      roleCode: "creator",
      permissions: new Set(["asset.upload"]),
      ip: "127.0.0.1",
    });
    await next();
  });
  serveUploads(app, {
    uploads: await openUploadFolder(join(folder, "uploads")),
    store: await openLocalStore(join(folder, "store")),
    limits: { image: 1e6, video: 0, audio: 1e6, other: 64e6 },
    maxOpenPerUser: 3,
    onFinished: async ({ uploadId, name, file, metadata }) => {
      if (metadata.fail === "once" && !(await exists(join(folder, "failed")))) {
        await Deno.writeTextFile(join(folder, "failed"), "");
        throw new Error("Cannot reach the database");
      }
      const line = JSON.stringify({ uploadId, name, file, projectId: metadata.projectId });
      await Deno.writeTextFile(join(folder, "finished"), `${line}\n`, { append: true });
    },
  });
  return Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, app.fetch);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

const [folder] = Deno.args;
if (import.meta.main && folder) {
  const server = await serveForTest(folder);
  await Deno.stdout.write(new TextEncoder().encode(`${server.addr.port}\n`));
  // The test that started this process may die without a word.
  Deno.stdin.readable.pipeTo(new WritableStream()).finally(() => Deno.exit());
}
