import { assert, assertEquals, assertRejects } from "@std/assert/mod.js";
import sharp from "sharp";
import { MediaError } from "./media_error.ts";
import { readAnimation, readRgb, stillFacts, writeThumbnail, writeWorkingImage } from "./still.ts";
import { sniffBytes, sniffFile } from "./sniff.ts";

const RED = { r: 250, g: 10, b: 20 };

async function inFolder(body: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir({ prefix: "seedloop_still_" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function plain(
  width: number,
  height: number,
  background: { r: number; g: number; b: number; alpha?: number },
) {
  return sharp({ create: { width, height, channels: background.alpha === undefined ? 3 : 4, background } });
}

Deno.test("writeWorkingImage turns upright, flattens on mid grey and gives 8-bit sRGB", () =>
  inFolder(async (folder) => {
    const out = `${folder}/working.png`;
    await plain(60, 40, RED).jpeg({ quality: 100 }).withMetadata({ orientation: 6 }).toFile(
      `${folder}/turned`,
    );
    assertEquals(await writeWorkingImage(`${folder}/turned`, out), { widthPx: 40, heightPx: 60 });
    await plain(8, 8, { ...RED, alpha: 0 }).png().toFile(`${folder}/clear`);
    await writeWorkingImage(`${folder}/clear`, out);
    const flat = await readRgb(out);
    assertEquals([...flat.data.subarray(0, 3)], [128, 128, 128]);
    const deep = new Uint16Array(16 * 16 * 3).fill(0x8080);
    await sharp(deep, { raw: { width: 16, height: 16, channels: 3 } }).toColourspace("rgb16").png().toFile(
      `${folder}/deep`,
    );
    assertEquals((await stillFacts(`${folder}/deep`, await sniffFile(`${folder}/deep`))).bitDepth, 16);
    await writeWorkingImage(`${folder}/deep`, out);
    const { depth, space, hasAlpha, format } = await sharp(out).metadata();
    assertEquals([depth, space, hasAlpha, format], ["uchar", "srgb", false, "png"]);
    assertEquals([...(await readRgb(out)).data.subarray(0, 3)], [128, 128, 128]);
    await plain(5000, 50, RED).png().toFile(`${folder}/wide`);
    assertEquals(await writeWorkingImage(`${folder}/wide`, out), { widthPx: 4096, heightPx: 41 });
    await writeThumbnail(`${folder}/wide`, `${folder}/thumb.webp`);
    assertEquals((await sharp(`${folder}/thumb.webp`).metadata()).width, 320);
  }));

Deno.test("writeWorkingImage brings an embedded colour profile to sRGB", () =>
  inFolder(async (folder) => {
    await plain(8, 8, { r: 200, g: 60, b: 60 }).withIccProfile("p3").png().toFile(`${folder}/p3`);
    const coded = await sharp(`${folder}/p3`, { ignoreIcc: true }).raw().toBuffer();
    await writeWorkingImage(`${folder}/p3`, `${folder}/out.png`);
    const { data } = await readRgb(`${folder}/out.png`);
    // sharp converted to P3 on writing; the working image must be back at the sRGB colour
    assert(Math.abs((coded[0] ?? 0) - 200) > 5);
    assert(
      Math.abs((data[0] ?? 0) - 200) <= 2 && Math.abs((data[1] ?? 0) - 60) <= 3,
      `${data.subarray(0, 3)}`,
    );
  }));

Deno.test("writeWorkingImage leaves an 8-bit RGB picture's values as they are", () =>
  inFolder(async (folder) => {
    const data = crypto.getRandomValues(new Uint8Array(30 * 20 * 3));
    await sharp(data, { raw: { width: 30, height: 20, channels: 3 } }).png().toFile(`${folder}/a`);
    await writeWorkingImage(`${folder}/a`, `${folder}/out.png`);
    assertEquals(new Uint8Array((await readRgb(`${folder}/out.png`)).data), data);
  }));

Deno.test("writeWorkingImage refuses damaged, empty, foreign and huge files, with the reason", () =>
  inFolder(async (folder) => {
    const out = `${folder}/out.png`;
    const random = crypto.getRandomValues(new Uint8Array(120 * 120 * 3));
    const noise = await sharp(random, { raw: { width: 120, height: 120, channels: 3 } }).png().toBuffer();
    await Deno.writeFile(`${folder}/cut`, noise.subarray(0, 20_000));
    await assertRejects(() => writeWorkingImage(`${folder}/cut`, out), MediaError, "truncated");
    const jpeg = await sharp(noise).jpeg().toBuffer();
    await Deno.writeFile(`${folder}/cut_jpeg`, jpeg.subarray(0, jpeg.byteLength >> 1));
    await assertRejects(() => writeWorkingImage(`${folder}/cut_jpeg`, out), MediaError, "truncated");
    await Deno.writeFile(`${folder}/empty.png`, new Uint8Array());
    await assertRejects(() => writeWorkingImage(`${folder}/empty.png`, out), MediaError, "is empty");
    await Deno.writeTextFile(`${folder}/text.png`, "I am a picture");
    await assertRejects(() => writeWorkingImage(`${folder}/text.png`, out), MediaError, "is a text file");
    await Deno.writeTextFile(
      `${folder}/drawing.png`,
      `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>`,
    );
    await assertRejects(() => writeWorkingImage(`${folder}/drawing.png`, out), MediaError, "an SVG drawing");
    await plain(16_000, 13_000, RED).png({ compressionLevel: 1 }).toFile(`${folder}/huge`);
    await assertRejects(() => writeWorkingImage(`${folder}/huge`, out), MediaError, "208 megapixels");
  }));

Deno.test("writeWorkingImage and writeThumbnail tell a full disk from a damaged picture", () =>
  inFolder(async (folder) => {
    if (Deno.build.os !== "linux") return;
    await plain(64, 64, RED).png().toFile(`${folder}/good.png`);
    for (const [write, name] of [[writeWorkingImage, "full.png"], [writeThumbnail, "full.webp"]] as const) {
      await Deno.symlink("/dev/full", `${folder}/${name}`);
      const error = await assertRejects(() => write(`${folder}/good.png`, `${folder}/${name}`), MediaError);
      assertEquals(error.failure, "no_space", error.message);
    }
  }));

Deno.test("readAnimation gives each frame of an animated WebP", () =>
  inFolder(async (folder) => {
    const frames = Array.from({ length: 20 }, (_, n) =>
      plain(16, 12, { r: n * 10, g: 200, b: 5 }).png().toBuffer());
    await sharp(await Promise.all(frames), { join: { animated: true } }).webp({ lossless: true }).toFile(
      `${folder}/a.webp`,
    );
    assertEquals(await sniffFile(`${folder}/a.webp`), { mediaType: "image/webp", isAnimated: true });
    let n = 0;
    for await (const frame of readAnimation(`${folder}/a.webp`, 20)) {
      assertEquals(frame.byteLength, 16 * 12 * 3);
      assertEquals([...frame.subarray(0, 3)], [n++ * 10, 200, 5]);
    }
    assertEquals(n, 20);
  }));

Deno.test("sniffBytes tells types by content", () => {
  const bytes = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  const type = (text: string) => sniffBytes(bytes(text)).mediaType;
  assertEquals(type(""), "application/x-empty");
  assertEquals(type("\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), "image/png");
  assertEquals(type("\xff\xd8\xff\xe0"), "image/jpeg");
  assertEquals(type("RIFF\0\0\0\0WEBPVP8 "), "image/webp");
  assertEquals(type("RIFF\0\0\0\0WAVEfmt "), "audio/wav");
  assertEquals(type("\0\0\0\x18ftypheic\0\0\0\0"), "image/heic");
  assertEquals(type("\0\0\0\x18ftypisom\0\0\0\0"), "video/mp4");
  assertEquals(type("\0\0\0\x14ftypqt  \0\0\0\0"), "video/quicktime");
  assertEquals(type("PK\x03\x04rest"), "application/zip");
  assertEquals(type(`  {"a": 1}`), "application/json");
  assertEquals(type("<svg width='1'/>"), "image/svg+xml");
  assertEquals(type("<!-- a --><svg>"), "image/svg+xml");
  assertEquals(type("plain words"), "text/plain");
  assertEquals(type("\0\x01\x02\x03"), "application/octet-stream");
});
