import { asList, asNumber, asRecord, asText } from "#workers/comfy/json.ts";
import { holds, same } from "./assert.ts";
import { type Check, check } from "./check.ts";
import { oneImage } from "./graphs.ts";

/** History, and what the server says of itself. */
export const HISTORY_CHECKS: readonly Check[] = [
  check("history is listed oldest first, cut from the end or from an offset", async (peer) => {
    const ids: string[] = [];
    for (let at = 0; at < 3; at++) {
      ids.push((await peer.run(oneImage(peer.freshPrefix(), peer.freshColor()))).promptId);
    }
    const keys = async (query: string) =>
      Object.keys(asRecord((await peer.get(`/history${query}`)).json) ?? {});
    same((await keys("")).slice(-3), ids, "all");
    same(await keys("?max_items=2"), ids.slice(1), "the last two");
    const all = await keys("");
    same(await keys("?max_items=2&offset=0"), all.slice(0, 2), "the first two");
    same(await keys("?max_items=0"), [], "none");
    same((await peer.get("/history?max_items=abc")).status, 500, "no number");
  }),

  check("an unknown or running prompt has the history {}", async (peer) => {
    const answer = await peer.get(`/history/${crypto.randomUUID()}`);
    same([answer.status, answer.json], [200, {}], "answer");
  }),

  check("history entries are deleted by id", async (peer) => {
    const [a, b] = [
      await peer.run(oneImage(peer.freshPrefix(), peer.freshColor())),
      await peer.run(oneImage(peer.freshPrefix(), peer.freshColor())),
    ];
    const answer = await peer.post("/history", { delete: [a.promptId, "unknown"] });
    same([answer.status, answer.text], [200, ""], "answer");
    same(await peer.history(a.promptId), undefined, "the deleted one");
    holds(await peer.history(b.promptId) !== undefined, "the other is gone too");
  }),

  check("history is cleared", async (peer) => {
    await peer.run(oneImage(peer.freshPrefix(), peer.freshColor()));
    const known = Object.keys(asRecord((await peer.get("/history")).json) ?? {});
    // Others may use this server: only a history of our own is cleared.
    if (known.some((id) => !peer.ours.has(id))) return;
    await peer.post("/history", { clear: true });
    same((await peer.get("/history")).json, {}, "history");
  }),

  check("a foreign Origin is refused on loopback, the own one and none are not", async (peer) => {
    const status = async (origin: string) => (await peer.get("/prompt", { headers: { origin } })).status;
    same(await status("http://evil.example"), 403, "foreign");
    same(await status(peer.url), 200, "own");
  }, {
    skip: (facts) =>
      facts.arguments.includes("--enable-cors-header") ? "started with --enable-cors-header" : undefined,
  }),

  check("object_info describes a class alone, {} for an unknown one", async (peer) => {
    const all = asRecord((await peer.get("/object_info")).json) ?? {};
    const one = asRecord((await peer.get("/object_info/SaveImage")).json) ?? {};
    same(one.SaveImage, all.SaveImage, "SaveImage");
    same((await peer.get("/object_info/NoSuchClass")).json, {}, "unknown class");
    const save = asRecord(all.SaveImage) ?? {};
    for (
      const key of ["input", "input_order", "output", "output_is_list", "output_name", "name", "display_name"]
    ) {
      holds(key in save, `SaveImage has no ${key}`);
    }
    same([save.output_node, save.category, save.python_module], [true, "image", "nodes"], "SaveImage");
    const empty = asRecord(asRecord(asRecord(all.EmptyImage)?.input)?.required) ?? {};
    const [type, bounds] = asList(empty.width);
    const { default: usual, min, max } = asRecord(bounds) ?? {};
    same([type, usual, min, max], ["INT", 512, 1, 16384], "EmptyImage.width");
  }),

  check("system_stats names version and devices", async (peer) => {
    const stats = asRecord((await peer.get("/system_stats")).json) ?? {};
    const system = asRecord(stats.system) ?? {};
    for (const key of ["os", "comfyui_version", "python_version"]) {
      holds(asText(system[key]) !== undefined, `no ${key}`);
    }
    holds((asNumber(system.ram_total) ?? 0) > 0 && Array.isArray(system.argv), "ram_total or argv");
    const [device] = asList(stats.devices);
    for (
      const key of ["name", "type", "index", "vram_total", "vram_free", "torch_vram_total", "torch_vram_free"]
    ) {
      holds(key in (asRecord(device) ?? {}), `the device has no ${key}`);
    }
  }),

  check("features tell the upload limit and preview metadata", async (peer) => {
    const { supports_preview_metadata, max_upload_size } = asRecord((await peer.get("/features")).json) ?? {};
    same(supports_preview_metadata, true, "supports_preview_metadata");
    holds((asNumber(max_upload_size) ?? 0) > 0, "max_upload_size");
  }),

  check("model folders are listed, their content too, old names are not known", async (peer) => {
    const folders = asList((await peer.get("/models")).json);
    for (const name of ["checkpoints", "diffusion_models", "text_encoders", "vae", "loras"]) {
      holds(folders.includes(name), `no ${name}`);
    }
    holds(Array.isArray((await peer.get("/models/vae")).json), "vae is no list");
    same((await peer.get("/models/unet")).status, 404, "the old name unet");
    same((await peer.get("/models/no-such-folder")).status, 404, "unknown folder");
  }),
];
