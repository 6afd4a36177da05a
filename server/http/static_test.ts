import { assertEquals, assertStringIncludes } from "@std/assert/mod.js";
import { join } from "@std/path/mod.js";
import { createApp } from "./create_app.ts";
import { serveClient } from "./static.ts";

Deno.test("serveClient() serves the build, its pages, and nothing else", async () => {
  const folder = await Deno.makeTempDir({ prefix: "static" });
  try {
    await Deno.mkdir(join(folder, "dist/fonts"), { recursive: true });
    await Deno.writeTextFile(join(folder, "secret.txt"), "classified");
    await Deno.writeTextFile(join(folder, "dist/.hidden.txt"), "classified");
    await Deno.writeTextFile(join(folder, "dist/index.html"), "<title>Seedloop</title>");
    await Deno.writeTextFile(join(folder, "dist/main-4F2K9QXA.js"), "1;");
    await Deno.writeTextFile(join(folder, "dist/fonts/a.woff2"), "font");
    const app = createApp();
    serveClient(app, join(folder, "dist"));
    const get = async (path: string, headers: Record<string, string> = {}) => {
      const response = await app.request(path, { headers });
      return { status: response.status, headers: response.headers, text: await response.text() };
    };
    for (const path of ["/", "/projects/42", "/review"]) {
      const page = await get(path);
      assertEquals([page.status, page.headers.get("cache-control")], [200, "no-cache"]);
      assertStringIncludes(page.text, "Seedloop");
    }
    const script = await get("/main-4F2K9QXA.js");
    assertEquals(script.headers.get("content-type"), "text/javascript; charset=utf-8");
    assertEquals(script.headers.get("cache-control"), "public, max-age=31536000, immutable");
    assertEquals(
      (await get("/main-4F2K9QXA.js", { "if-none-match": script.headers.get("etag") ?? "" })).status,
      304,
    );
    assertEquals((await get("/fonts/a.woff2")).text, "font");
    const refused = [
      "/missing.js",
      "/api/nothing",
      "/.hidden.txt",
      "/%2e%2e/secret.txt",
      "/..%2fsecret.txt",
      "/fonts/..%5c..%5csecret.txt",
      "/%2e%2e%2fsecret.txt",
      "//etc/passwd.txt",
      "/index.html%00.js",
      "/%zz.js",
    ];
    for (const path of refused) {
      const { status, text } = await get(path);
      assertEquals([path, status, text.includes("classified")], [path, 404, false]);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
