import { resolve } from "node:path";
import { durationUs, framesInDuration, parseRate, type Rate } from "#server/core/media_time.ts";

export interface DemoOptions {
  /** A file, or undefined for the default face. */
  readonly portrait: string | undefined;
  /** Frames asked for: seconds at the rate, to the nearest whole frame. */
  readonly frames: number;
  readonly rate: Rate;
  readonly size: { readonly width: number; readonly height: number };
  readonly out: string | undefined;
  /** Folder of the studio that the demo starts; a temporary one when not given. */
  readonly data: string | undefined;
  readonly keep: boolean;
  readonly json: boolean;
  readonly url: string | undefined;
  readonly token: string | undefined;
  readonly randomSeed: number;
  readonly mediaBackend: string;
}

export const HELP = `deno task demo: portrait → foundation → clip → master, through the studio's public API

  --portrait FILE      the portrait (default: a real face that ships in a dependency)
  --seconds N          length of the clip (default 6)
  --fps N[/D]          frame rate, 24, 25, 30, 24000/1001 … (default 24)
  --size WxH           frame size (default 768x512)
  --seed N             random seed: the same portrait and seed give the same frames (default 1)
  --out DIR            where the files are put (default: ./seedloop-demo)
  --data DIR           keep the studio's data here instead of a temporary folder
  --keep               keep the temporary data folder
  --url URL --token T  use a running studio instead of starting one
  --media-backend B    auto, native or wasm (default auto)
  --json               print one JSON object at the end and nothing else on standard output`;

/** Reads the demo's options, or throws a RangeError that names the option and the mend. */
export function readOptions(args: readonly string[]): DemoOptions | "help" {
  const given = readPairs(args);
  if (given.has("help")) return "help";
  const rate = parseRate(given.get("fps") ?? "24");
  const seconds = Number(given.get("seconds") ?? "6");
  if (!(seconds > 0 && seconds <= 3600)) {
    throw new RangeError(`--seconds ${given.get("seconds")} is no length: give a number from 0.1 to 3600`);
  }
  const frames = framesInDuration(Math.round(seconds * 1_000_000), rate);
  if (frames < 1) throw new RangeError(`--seconds ${given.get("seconds")} is less than one frame: give more`);
  const randomSeed = Number(given.get("seed") ?? "1");
  if (!Number.isSafeInteger(randomSeed) || randomSeed < 0) {
    throw new RangeError(`--seed ${given.get("seed")} is no seed: give a whole number from 0`);
  }
  const url = given.get("url");
  if (url && !given.get("token")) {
    throw new RangeError("--url needs --token: make one in the studio under your API tokens");
  }
  if (url && !/^https?:$/.test(URL.parse(url)?.protocol ?? "")) {
    throw new RangeError(`--url ${url} is no address: write it as http://127.0.0.1:7420`);
  }
  if (!url && given.get("token")) {
    throw new RangeError("--token needs --url: the address of the studio that it belongs to");
  }
  const mediaBackend = given.get("media-backend") ?? "auto";
  if (!["auto", "native", "wasm"].includes(mediaBackend)) {
    throw new RangeError(`--media-backend ${mediaBackend} is none: give auto, native or wasm`);
  }
  return {
    portrait: given.has("portrait") ? resolve(given.get("portrait") ?? "") : undefined,
    frames,
    rate,
    size: readSize(given.get("size") ?? "768x512"),
    out: given.get("out"),
    data: given.get("data"),
    keep: given.has("keep"),
    json: given.has("json"),
    url,
    token: given.get("token"),
    randomSeed,
    mediaBackend,
  };
}

/** What a project takes: even sides of 64 to 8192 pixels. */
function readSize(text: string): DemoOptions["size"] {
  const [width = 0, height = 0] = /^(\d+)x(\d+)$/.exec(text)?.slice(1).map(Number) ?? [];
  if ([width, height].some((side) => side < 64 || side > 8192 || side % 2 !== 0)) {
    throw new RangeError(
      `--size ${text} is no size: write it as 768x512, each side even and from 64 to 8192`,
    );
  }
  return { width, height };
}

function readPairs(args: readonly string[]): Map<string, string> {
  const flags = new Set(["help", "keep", "json"]);
  const valued = new Set([
    "portrait",
    "seconds",
    "fps",
    "size",
    "seed",
    "out",
    "data",
    "url",
    "token",
    "media-backend",
  ]);
  const given = new Map<string, string>();
  for (let index = 0; index < args.length; index++) {
    const [name = "", inline] = (args[index] ?? "").replace(/^--/, "").split(/=(.*)/s);
    if (flags.has(name)) given.set(name, "");
    else if (!valued.has(name) || !args[index]?.startsWith("--")) {
      throw new RangeError(`There is no option ${args[index]}\n\n${HELP}`);
    } else {
      const value = inline ?? args[++index];
      if (value === undefined) throw new RangeError(`--${name} needs a value`);
      given.set(name, value);
    }
  }
  return given;
}

/** "6.00 s" */
export function shownSeconds(frames: number, rate: Rate): string {
  return `${(durationUs(frames, rate) / 1_000_000).toFixed(2)} s`;
}
