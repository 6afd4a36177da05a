import { assert, assertAlmostEquals, assertEquals } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs-core";
import sharp, { type Sharp } from "sharp";
import type { Face } from "#server/seeds/job_kinds.ts";
import { likenessOfDistance, openFaceModel } from "./face_model.ts";
import { whyNotComparable } from "./likeness.ts";
import type { RgbImage } from "./pixels.ts";
import { readStill } from "./read_still.ts";
import { decoded, groupPhoto, person } from "./testing/pictures.ts";

const model = await openFaceModel();
const detect = (picture: RgbImage) => model.detect(picture.data, picture.width, picture.height);
const embed = (picture: RgbImage, face: Face) =>
  model.embed(picture.data, picture.width, picture.height, face);

/** The woman in front of photo 6, head and shoulders. */
const HER = () => person(6, 540, 220, 480);

const photos = new Map<number, { picture: RgbImage; faces: Face[] }>();
async function readPhoto(number: number) {
  const known = photos.get(number);
  if (known) return known;
  const picture = await readStill(decodeURIComponent(groupPhoto(number).pathname));
  const read = { picture, faces: await detect(picture) };
  photos.set(number, read);
  return read;
}

async function onlyFace(picture: RgbImage): Promise<Face> {
  const faces = await detect(picture);
  assertEquals(faces.length, 1, `one face was to be found, not ${faces.length}`);
  return faces[0]!;
}

const her = await decoded(HER());
const herFace = await onlyFace(her);
const herself = await embed(her, herFace);

async function likenessToHer(picture: RgbImage): Promise<number> {
  return model.likeness(model.distance(herself, await embed(picture, await onlyFace(picture))));
}

Deno.test("detect finds every person in the group photos that ship with the model", async () => {
  for (const [photo, people] of [[4, 4], [5, 5], [6, 4]] as const) {
    const { picture, faces } = await readPhoto(photo);
    assertEquals(faces.length, people, `photo ${photo}`);
    for (const face of faces) {
      const { x, y, width, height } = face.box;
      assert(x >= 0 && y >= 0 && x + width <= picture.width && y + height <= picture.height);
      assertEquals(face.points.length, 5);
      assertEquals(whyNotComparable(picture, face), undefined);
    }
  }
});

Deno.test("detect places the five points left before right and says pose and eyes", () => {
  const [leftEye, rightEye, nose, leftMouth, rightMouth] = herFace.points;
  assert(leftEye!.x < nose!.x && nose!.x < rightEye!.x && leftMouth!.x < rightMouth!.x);
  assert(leftEye!.y < nose!.y && nose!.y < leftMouth!.y);
  assert(Math.abs(herFace.yawDeg) < 30 && Math.abs(herFace.rollDeg) < 20);
  assert(herFace.eyesOpen !== null && herFace.eyesOpen > 0.5);
});

for (const turn of [20, 45, 90, 135, 180, 270]) {
  Deno.test(`detect finds a face rolled by ${turn}° and it stays the same person`, async () => {
    const picture = await decoded(sharp(await HER().png().toBuffer()).rotate(turn, { background: "#777" }));
    const face = await onlyFace(picture);
    const off = ((face.rollDeg - herFace.rollDeg - turn) % 360 + 540) % 360 - 180;
    assertAlmostEquals(off, 0, 12);
    assert(model.distance(herself, await embed(picture, face)) < 0.3);
  });
}

Deno.test("likeness stays over 0.9 for the same person blurred, cropped, darker, grey or in a JPEG", async () => {
  const changes: Record<string, Sharp> = {
    blurred: HER().blur(2),
    cropped: person(6, 620, 320, 300),
    darker: HER().modulate({ brightness: 0.6 }),
    brighter: HER().modulate({ brightness: 1.3 }),
    grey: HER().modulate({ saturation: 0 }),
    smaller: HER().resize(240),
    compressed: sharp(await HER().jpeg({ quality: 25 }).toBuffer()),
    mirrored: HER().flop(),
  };
  for (const [name, change] of Object.entries(changes)) {
    const likeness = await likenessToHer(await decoded(change));
    assert(likeness > 0.9, `${name}: likeness ${likeness.toFixed(3)}`);
  }
});

Deno.test("likeness is low between different persons", async () => {
  const likenesses: number[] = [];
  for (const photo of [4, 5]) {
    const { picture, faces } = await readPhoto(photo);
    for (const face of faces) {
      likenesses.push(model.likeness(model.distance(herself, await embed(picture, face))));
    }
  }
  assertEquals(likenesses.length, 9);
  const worst = Math.max(...likenesses);
  assert(worst < 0.8, `a stranger scores ${worst.toFixed(3)}`);
  assert(
    likenesses.filter((likeness) => likeness < 0.4).length >= 6,
    likenesses.map((l) => l.toFixed(2)).join(" "),
  );
});

Deno.test("detect finds a small face in a large picture", async () => {
  const small = await HER().resize(150).png().toBuffer();
  const scene = sharp({ create: { width: 1800, height: 1200, channels: 3, background: "#586470" } })
    .composite([{ input: small, left: 1400, top: 800 }]);
  const face = await onlyFace(await decoded(scene));
  assert(face.box.x > 1400 && face.box.y > 800);
});

Deno.test("detect finds nothing in noise, a plain field and a drawing with two dots", async () => {
  const noise = {
    width: 300,
    height: 300,
    data: new Uint8Array(270_000).map((_, i) => (i * 2654435761) >>> 24),
  };
  assertEquals(await detect(noise), []);
  assertEquals(await detect({ width: 64, height: 64, data: new Uint8Array(64 * 64 * 3).fill(128) }), []);
  const cat = '<svg width="400" height="400"><rect width="400" height="400" fill="#a87"/>' +
    '<path d="M100 160 L120 60 L190 110 L230 110 L290 60 L310 160 Q320 320 205 330 Q90 320 100 160Z" fill="#654"/>' +
    '<circle cx="160" cy="190" r="22" fill="#cd3"/><circle cx="250" cy="190" r="22" fill="#cd3"/></svg>';
  assertEquals(await detect(await decoded(sharp(new TextEncoder().encode(cat)))), []);
});

Deno.test("a model's hash and calibration are stated with it", () => {
  assert(/^[0-9a-f]{64}$/.test(model.model.hash));
  assertAlmostEquals(likenessOfDistance(0.6), 0.5, 1e-9);
  assert(likenessOfDistance(0.45) > 0.95 && likenessOfDistance(0.75) < 0.05);
});

Deno.test("detect refuses pixels that are not as many as it is told", async () => {
  let message = "";
  await model.detect(new Uint8Array(10), 4, 4).catch((thrown: Error) => message = thrown.message);
  assert(message.includes("4×4"));
});

Deno.test("detect and embed leave no tensors behind", async () => {
  const before = tf.memory().numTensors;
  for (const face of await detect(her)) await embed(her, face);
  assertEquals(tf.memory().numTensors, before);
});
