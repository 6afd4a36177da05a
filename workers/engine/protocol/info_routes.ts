import type { Engine } from "#workers/engine/engine.ts";
import { listModels, MODEL_FOLDERS, readSafetensorsMetadata } from "#workers/engine/models.ts";
import { empty, json, MAX_BODY } from "./http.ts";
import { describeNode } from "./object_info.ts";
import type { Route } from "./route.ts";

/** The ComfyUI whose protocol and nodes the engine keeps to. */
export const COMPATIBLE_WITH = "0.3.64";

/** Feature flags, over HTTP and the socket. */
export const FEATURES = {
  supports_preview_metadata: true,
  max_upload_size: MAX_BODY,
  seedloop: "cpu-preview",
} as const;

/** What the engine is, what it can do, and which models it sees. */
export function infoRoutes(engine: Engine): Route[] {
  const { registry, folders } = engine;
  return [
    { method: "GET", path: "/system_stats", run: () => json(systemStats()) },
    { method: "GET", path: "/features", run: () => json(FEATURES) },
    {
      method: "GET",
      path: "/object_info",
      run: () =>
        json(Object.fromEntries([...registry].map(([name, spec]) => [name, describeNode(spec, folders)]))),
    },
    {
      method: "GET",
      path: "/object_info/*",
      run: ({ params: [name = ""] }) => {
        const spec = registry.get(name);
        return json(spec ? { [name]: describeNode(spec, folders) } : {});
      },
    },
    { method: "GET", path: "/models", run: () => json(Object.keys(MODEL_FOLDERS)) },
    {
      method: "GET",
      path: "/models/*",
      run: async ({ params: [folder = ""] }) => {
        const names = await listModels(folder, folders);
        return names ? json(names) : empty(404);
      },
    },
    {
      method: "GET",
      path: "/embeddings",
      run: async () =>
        json((await listModels("embeddings", folders))?.map((name) => name.replace(/\.[^.]*$/, ""))),
    },
    {
      method: "GET",
      path: "/view_metadata/*",
      run: async ({ params: [folder = ""], query }) => {
        const metadata = await readSafetensorsMetadata(folder, query.get("filename") ?? "", folders);
        return metadata ? json(metadata) : empty(404);
      },
    },
    { method: "GET", path: "/extensions", run: () => json([]) },
    { method: "GET", path: "/users", run: () => json({ storage: "server", migrated: true }) },
    { method: "GET", path: "/settings", run: () => json({}) },
  ];
}

function systemStats(): unknown {
  const memory = Deno.systemMemoryInfo();
  const device = { vram_total: memory.total, vram_free: memory.available };
  return {
    system: {
      os: Deno.build.os === "windows" ? "nt" : "posix",
      ram_total: memory.total,
      ram_free: memory.available,
      comfyui_version: COMPATIBLE_WITH,
      seedloop: "cpu-preview",
      required_frontend_version: null,
      installed_templates_version: null,
      required_templates_version: null,
      python_version: `none (Deno ${Deno.version.deno})`,
      pytorch_version: "none",
      embedded_python: false,
      // Results of earlier prompts are kept, the longest unused dropped first: clients read that here.
      argv: ["seedloop-cpu-engine", "--cpu", "--cache-lru", "1000"],
    },
    devices: [{
      name: "cpu",
      type: "cpu",
      index: null,
      ...device,
      torch_vram_total: device.vram_total,
      torch_vram_free: device.vram_free,
    }],
  };
}
