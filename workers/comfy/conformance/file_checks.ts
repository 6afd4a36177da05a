import sharp from "sharp";
import { asNumber, asRecord, asText } from "#workers/comfy/json.ts";
import { filesOf, holds, same } from "./assert.ts";
import { type Check, check } from "./check.ts";
import { oneImage } from "./graphs.ts";
import type { Peer } from "./peer.ts";

const FOLDER = "seedloop-conformance";

/** Uploads and `/view`. */
export const FILE_CHECKS: readonly Check[] = [
  check("an upload keeps its name, the same bytes again are one file, others get a number", async (peer) => {
    const name = `${crypto.randomUUID()}.png`;
    const put = async (bytes: Uint8Array<ArrayBuffer>) =>
      (await peer.upload(name, bytes, { subfolder: FOLDER })).json;
    const [a, b] = [new Uint8Array([1, 2, 3]), new Uint8Array([4, 5])];
    const kept = { subfolder: FOLDER, type: "input" };
    same(nameOf(await put(a)), { name, ...kept }, "first");
    same(nameOf(await put(a)), { name, ...kept }, "same bytes");
    same(nameOf(await put(b)), { name: name.replace(".png", " (1).png"), ...kept }, "other bytes");
    const viewed = await peer.view({ filename: name, subfolder: FOLDER, type: "input" });
    same([...viewed.bytes], [1, 2, 3], "content");
  }),

  check("overwrite replaces the file", async (peer) => {
    const name = `${crypto.randomUUID()}.bin`;
    await peer.upload(name, new Uint8Array([1]), { subfolder: FOLDER });
    const answer = await peer.upload(name, new Uint8Array([9, 9]), { subfolder: FOLDER, overwrite: "true" });
    same(asText(asRecord(answer.json)?.name), name, "name");
    const viewed = await peer.view({ filename: name, subfolder: FOLDER, type: "input" });
    same([...viewed.bytes], [9, 9], "content");
  }),

  check("bad uploads are refused: escape, no image part, unknown type", async (peer) => {
    const bytes = new Uint8Array([1]);
    same((await peer.upload("x.png", bytes, { subfolder: "../../evil" })).status, 400, "escape");
    same((await peer.upload("x.png", bytes, { type: "nonsense" })).status, 500, "unknown type");
    const form = new FormData();
    form.set("wrong", new File([bytes], "x.png"));
    same((await peer.post("/upload/image", undefined, { body: form })).status, 400, "wrong part");
  }),

  check("an upload over the limit is answered 413", async (peer) => {
    const limit = asNumber(peer.facts.features.max_upload_size) ?? 104857600;
    const status = await uploadZeros(peer, limit + 1024);
    same(status, 413, "status");
  }, {
    skip: (facts) =>
      (asNumber(facts.features.max_upload_size) ?? 104857600) > 104857600 ? "its limit is higher" : undefined,
  }),

  check("an uploaded picture is read by LoadImage, also from a sub-folder, also annotated", async (peer) => {
    const raw = { create: { width: 20, height: 10, channels: 3 as const, background: "#204060" } };
    const png = new Uint8Array(await sharp(raw).png().toBuffer());
    const name = `${crypto.randomUUID()}.png`;
    same((await peer.upload(name, png, { subfolder: FOLDER })).status, 200, "upload");
    for (const image of [`${FOLDER}/${name}`, `${FOLDER}/${name} [input]`]) {
      const { outputs } = await peer.run({
        "1": { class_type: "LoadImage", inputs: { image } },
        "2": { class_type: "SaveImage", inputs: { images: ["1", 0], filename_prefix: peer.freshPrefix() } },
      });
      const { bytes } = await peer.view(filesOf(outputs["2"])[0]);
      const { data, info } = await sharp(bytes).removeAlpha().raw().toBuffer({ resolveWithObject: true });
      same([info.width, info.height, ...data.subarray(0, 3)], [20, 10, 0x20, 0x40, 0x60], "picture");
    }
  }, { classes: ["LoadImage"] }),

  check("LoadImage of a missing file fails validation and names the file", async (peer) => {
    const graph = {
      "1": { class_type: "LoadImage", inputs: { image: "no-such-file.png" } },
      "2": { class_type: "PreviewImage", inputs: { images: ["1", 0] } },
    };
    const answer = await peer.post("/prompt", { prompt: graph });
    same(answer.status, 400, "status");
    holds(answer.text.includes("custom_validation_failed"), "type");
    holds(answer.text.includes("image - Invalid image file: no-such-file.png"), "details");
  }, { classes: ["LoadImage"] }),

  check("/view refuses what lies outside and what isn't there", async (peer) => {
    const status = async (query: string) => (await peer.get(`/view?${query}`)).status;
    same(await status("filename=../x.png"), 400, "..");
    same(await status("filename=/etc/passwd"), 400, "absolute");
    same(await status("filename=x.png&type=nonsense"), 400, "unknown type");
    same(await status("filename=x.png&subfolder=../../.."), 403, "escape");
    same(await status("filename=no-such-file.png"), 404, "missing");
    same(await status(""), 404, "no filename");
  }),

  check("/view takes an annotated name, a range and previews", async (peer) => {
    const { outputs } = await peer.run(oneImage(peer.freshPrefix(), peer.freshColor(), 32));
    const file = filesOf(outputs["2"])[0] ?? {};
    const annotated = await peer.view({ ...file, filename: `${file.filename} [output]`, type: "temp" });
    same(annotated.status, 200, "annotated");
    const part = await peer.view(file, "", { headers: { range: "bytes=0-7" } });
    same([part.status, [...part.bytes.subarray(1, 4)]], [206, [0x50, 0x4e, 0x47]], "range");
    const webp = await peer.view(file, "&preview=webp;90");
    same([webp.status, webp.text.slice(8, 12)], [200, "WEBP"], "preview as WebP");
    const jpeg = await peer.view(file, "&preview=jpeg;80");
    same([jpeg.status, jpeg.bytes[0], jpeg.bytes[1]], [200, 0xff, 0xd8], "preview as JPEG");
    const past = await peer.view(file, "", { headers: { range: "bytes=99999999-" } });
    same(past.status, 416, "a range past the end");
  }),

  check("a preview of a file that is no picture is answered 500", async (peer) => {
    const name = `${crypto.randomUUID()}.txt`;
    await peer.upload(name, new TextEncoder().encode("text"), { subfolder: FOLDER });
    same(
      (await peer.view({ filename: name, subfolder: FOLDER, type: "input" }, "&preview=webp")).status,
      500,
      "status",
    );
  }),
];

/** Name, folder and type alone: newer servers add more. */
function nameOf(json: unknown): unknown {
  const { name, subfolder, type } = asRecord(json) ?? {};
  return { name, subfolder, type };
}

/** Streams a form with a file of `size` zeros. The server may answer, or cut the line, before the end. */
async function uploadZeros(peer: Peer, size: number): Promise<number> {
  const head = '--b\r\nContent-Disposition: form-data; name="image"; filename="big.bin"\r\n\r\n';
  const chunk = new Uint8Array(1024 * 1024);
  let left = size;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode(head)),
    pull: (controller) => {
      if (left <= 0) {
        controller.enqueue(new TextEncoder().encode("\r\n--b--\r\n"));
        return controller.close();
      }
      controller.enqueue(chunk.subarray(0, Math.min(left, chunk.length)));
      left -= chunk.length;
    },
  });
  const headers = { "content-type": "multipart/form-data; boundary=b" };
  return (await peer.post("/upload/image", undefined, { body, headers })).status;
}
