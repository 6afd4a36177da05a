import { Buffer } from "node:buffer";
import { join } from "node:path";
import sharp from "sharp";
import { defaultPortrait } from "#tasks/demo/portrait.ts";
import { openMediaTools } from "#workers/media/run.ts";

/** A file that someone might give as a portrait, and what should come of it. */
export interface GivenPortrait {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whether it works, with how many faces (undefined: any), or is refused with a reason like this. */
  readonly outcome: { readonly faces?: number } | { readonly refused: RegExp };
  /** Whether it is tried out if a foundation can be made from it. */
  readonly isTried?: boolean;
  /** Size that the working image must have, when that matters. */
  readonly uprightSize?: readonly [number, number];
}

const CAT = `<svg xmlns="http://www.w3.org/2000/svg" width="640" height="480">
  <rect width="640" height="480" fill="#7a9"/>
  <path d="M170 200 L210 70 L280 150 L360 150 L430 70 L470 200 Q480 400 320 420 Q160 400 170 200Z" fill="#c84"/>
  <ellipse cx="260" cy="240" rx="26" ry="34" fill="#ce5"/><ellipse cx="260" cy="240" rx="6" ry="30"/>
  <ellipse cx="380" cy="240" rx="26" ry="34" fill="#ce5"/><ellipse cx="380" cy="240" rx="6" ry="30"/>
  <path d="M305 310 L335 310 L320 328Z" fill="#e88"/>
  <path d="M300 335 L160 320 M300 345 L160 360 M340 335 L480 320 M340 345 L480 360" stroke="#fff" stroke-width="3"/>
</svg>`;

/** Portraits of every kind that people have or take for one, made on the fly. `folder` is for scratch files. */
export async function makePortraits(folder: string): Promise<GivenPortrait[]> {
  const face = await defaultPortrait();
  const jpeg = await sharp(face).jpeg({ quality: 92 }).toBuffer();
  const [width, height] = [420, 560];
  const works = (faces?: number) => faces === undefined ? {} : { faces };
  return [
    { name: "face.png", bytes: face, outcome: works(1) },
    {
      name: "cat.png",
      bytes: plain(await sharp(Buffer.from(CAT)).png().toBuffer()),
      outcome: works(0),
      isTried: true,
    },
    {
      name: "tiny.png",
      bytes: plain(await sharp(face).resize(20, 20).png().toBuffer()),
      outcome: works(),
      isTried: true,
    },
    {
      name: "huge.jpg",
      bytes: plain(await sharp(face).resize(6000, 8000).jpeg({ quality: 80 }).toBuffer()),
      outcome: works(1),
    },
    {
      name: "turned.jpg",
      // Lies on its side; the tag says that it must be turned to stand.
      bytes: plain(
        await sharp(face).rotate(270).withMetadata({ orientation: 6 }).jpeg({ quality: 92 }).toBuffer(),
      ),
      outcome: works(1),
      uprightSize: [width, height],
    },
    {
      name: "sixteen_bit.png",
      bytes: plain(await sharp(face).toColourspace("rgb16").png().toBuffer()),
      outcome: works(1),
    },
    {
      name: "transparent.png",
      bytes: plain(
        await sharp(face).ensureAlpha().composite([{
          input: Buffer.from(
            `<svg width="${width}" height="${height}"><ellipse cx="210" cy="260" rx="190" ry="250"/></svg>`,
          ),
          blend: "dest-in",
        }]).png().toBuffer(),
      ),
      outcome: works(1),
      isTried: true,
    },
    {
      name: "cmyk.jpg",
      bytes: plain(await sharp(face).toColourspace("cmyk").jpeg().toBuffer()),
      outcome: works(1),
    },
    { name: "animated.gif", bytes: await makeGif(face), outcome: { refused: /video.*gif/ } },
    {
      name: "drawing.svg",
      bytes: new TextEncoder().encode(CAT),
      outcome: { refused: /SVG|svg|vector|picture/ },
    },
    {
      name: "truncated.jpg",
      bytes: plain(jpeg.subarray(0, Math.floor(jpeg.length * 0.4))),
      outcome: { refused: /truncated|cut off|damaged|incomplete|can't be read/ },
    },
    { name: "empty.png", bytes: new Uint8Array(), outcome: { refused: /empty|no bytes|0 bytes/ } },
    {
      name: "letter.png",
      bytes: new TextEncoder().encode("Dear studio,\nthis is no picture.\n".repeat(20)),
      outcome: { refused: /text|not a picture|no picture|picture/ },
    },
    { name: "film.mp4", bytes: await makeVideo(join(folder, "film.mp4")), outcome: { refused: /video/ } },
  ];
}

function plain(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

async function makeGif(face: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const small = sharp(face).resize(210, 280);
  const frames = [await small.clone().png().toBuffer(), await small.clone().flop().png().toBuffer()];
  return plain(await sharp(frames, { join: { animated: true } }).gif({ delay: [200, 200] }).toBuffer());
}

async function makeVideo(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const tools = await openMediaTools();
  try {
    await tools.ffmpeg(["-f", "lavfi", "-i", "testsrc=s=160x120:r=24:d=0.5", "-pix_fmt", "yuv420p", path]);
    return await Deno.readFile(path);
  } finally {
    await tools.close();
  }
}
