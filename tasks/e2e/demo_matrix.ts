import { join } from "node:path";
import { parseArgs } from "node:util";
import { framesInDuration, parseRate } from "#server/core/media_time.ts";
import { ApiClient } from "#tasks/demo/api_client.ts";
import { type DemoResult, travel } from "#tasks/demo/journey.ts";
import { readOptions } from "#tasks/demo/options.ts";
import { ProgressBars } from "#tasks/demo/progress_bars.ts";
import { openToken } from "#tasks/demo/studio.ts";
import { type MediaTools, openMediaTools } from "#workers/media/run.ts";
import { checkDelivery, fetchSchemas } from "./check_delivery.ts";
import { type Film, readFilm } from "./film.ts";
import { freePort, StudioProcess } from "./studio_process.ts";

/** One film of the matrix: options of the demo. */
export interface FilmCase {
  readonly seconds: string;
  readonly fps: string;
  readonly size?: string;
  readonly seed?: string;
}

export interface FilmReport {
  readonly result: DemoResult;
  readonly film: Film;
  /** Everything that is not as the issue says, as sentences. */
  readonly faults: readonly string[];
}

/** How a studio is made to work: its media backend, and whether it can find programs on PATH. */
export interface StudioKind {
  readonly mediaBackend: "native" | "wasm" | "auto";
  readonly hasBarePath: boolean;
}

/** A studio in its own process and folder, with the means to take films through it and look at them. */
export class FilmStudio {
  readonly #data: string;
  readonly #studio: StudioProcess;
  readonly #tools: MediaTools;
  readonly #api: ApiClient;
  readonly #token: string;

  private constructor(data: string, studio: StudioProcess, token: string, tools: MediaTools) {
    this.#data = data;
    this.#studio = studio;
    this.#tools = tools;
    this.#token = token;
    this.#api = new ApiClient(studio.url, token);
  }

  static async open({ mediaBackend, hasBarePath }: StudioKind): Promise<FilmStudio> {
    const data = await Deno.makeTempDir({ prefix: "seedloop_matrix_" });
    await Deno.chmod(data, 0o755);
    const env = hasBarePath ? { PATH: await makeBarePath(data) } : {};
    const studio = new StudioProcess({ data: join(data, "studio"), port: freePort(), mediaBackend, env });
    try {
      if (!await studio.isUp()) throw new Error(`The studio did not start:\n${studio.said}`);
      const { url, firstAdminUrl } = studio;
      const token = await openToken({ url, firstAdminUrl, data: join(data, "studio") });
      return new FilmStudio(data, studio, token, await openMediaTools());
    } catch (error) {
      await studio.kill();
      throw error;
    }
  }

  /** The media tools that the studio says it has found: "native" or "wasm". */
  get mediaKind(): string | undefined {
    return /"media tools opened".*?"kind":"(\w+)"/.exec(this.#studio.said)?.[1];
  }

  /** Takes one film from portrait to master and delivery and checks all that came out. */
  async film({ seconds, fps, size = "768x512", seed = "1" }: FilmCase): Promise<FilmReport> {
    const out = await Deno.makeTempDir({ dir: this.#data });
    const options = readOptions(
      ["--seconds", seconds, "--fps", fps, "--size", size, "--seed", seed, "--out", out],
    );
    if (options === "help") throw new RangeError("A film of the matrix can't be help");
    const result = await travel(this.#api, options, new ProgressBars(false), 0);
    const film = await readFilm(this.#tools, result.files.master ?? "");
    const schemas = await fetchSchemas(this.#studio.url, this.#token);
    const faults = [
      ...judgeFilm({ seconds, fps, size }, result, film),
      ...await checkDelivery(result, schemas),
    ];
    return { result, film, faults };
  }

  async close(): Promise<void> {
    await this.#studio.stop();
    await this.#tools.close();
    await Deno.remove(this.#data, { recursive: true });
  }
}

function judgeFilm(asked: Required<Omit<FilmCase, "seed">>, result: DemoResult, film: Film): string[] {
  const rate = parseRate(asked.fps);
  const frames = framesInDuration(Math.round(Number(asked.seconds) * 1e6), rate);
  const kept = result.segments.reduce((sum, segment) => sum + segment.frames, 0);
  const findings: [boolean, string][] = [
    [film.frames === frames, `${film.frames} frames were decoded, not ${frames}`],
    [film.statedFrames === frames, `the container states ${film.statedFrames} frames, not ${frames}`],
    [result.frames === frames, `the demo says ${result.frames} frames, not ${frames}`],
    [
      film.rate.num === rate.num && film.rate.den === rate.den,
      `the rate is ${film.rate.num}/${film.rate.den}, not ${asked.fps}`,
    ],
    [film.isConstantRate, "the rate is not constant"],
    [film.size.join("x") === asked.size, `the size is ${film.size.join("x")}, not ${asked.size}`],
    [film.repeated.length === 0, `frames are repeated: ${film.repeated.join(", ")}`],
    [
      film.motion.mean > film.noise && film.drift > film.noise,
      `the film hardly moves: ${film.drift} levels in half a second, with grain of ${film.noise}`,
    ],
    [
      result.seams.length === result.segments.length - 1,
      `${result.seams.length} seams were judged between ${result.segments.length} segments`,
    ],
    [kept > 0, "no frames are told for the segments"],
    ...result.seams.map(({ frame, verdict }): [boolean, string] => [
      verdict !== "fail",
      `the seam at frame ${frame} fails`,
    ]),
  ];
  return findings.flatMap(([isFine, fault]) => isFine ? [] : [fault]);
}

/** A folder with the few programs that a studio needs beside itself, and no ffmpeg. */
async function makeBarePath(data: string): Promise<string> {
  const folder = join(data, "bin");
  await Deno.mkdir(folder);
  for (const name of ["sh", "test", "unshare", "kill", "env"]) {
    for (const from of ["/usr/bin", "/bin"]) {
      if (await Deno.lstat(join(from, name)).then(() => true, () => false)) {
        await Deno.symlink(join(from, name), join(folder, name)).catch(() => {});
      }
    }
  }
  return folder;
}

interface Row extends FilmCase {
  readonly studio: StudioKind;
}

const NATIVE: StudioKind = { mediaBackend: "native", hasBarePath: false };
const WASM: StudioKind = { mediaBackend: "wasm", hasBarePath: false };
const BARE: StudioKind = { mediaBackend: "auto", hasBarePath: true };

const ROWS: readonly Row[] = [
  { studio: NATIVE, seconds: "6", fps: "24" },
  { studio: NATIVE, seconds: "6", fps: "24" },
  { studio: NATIVE, seconds: "6", fps: "24", seed: "2" },
  { studio: NATIVE, seconds: "6", fps: "24000/1001" },
  { studio: NATIVE, seconds: "6", fps: "25" },
  { studio: NATIVE, seconds: "6", fps: "30" },
  { studio: NATIVE, seconds: "2.5", fps: "24" },
  { studio: NATIVE, seconds: "15", fps: "24" },
  { studio: WASM, seconds: "6", fps: "24000/1001" },
  { studio: BARE, seconds: "6", fps: "24" },
];

async function main(): Promise<number> {
  const { values } = parseArgs({
    args: Deno.args,
    options: { rows: { type: "string" }, size: { type: "string", default: "768x512" } },
  });
  const wanted = values.rows?.split(",").map(Number);
  let faults = 0;
  const hashes = new Map<string, string>();
  let open: { kind: StudioKind; studio: FilmStudio } | undefined;
  try {
    for (const [index, row] of ROWS.entries()) {
      if (wanted && !wanted.includes(index + 1)) continue;
      if (open?.kind !== row.studio) {
        await open?.studio.close();
        open = undefined;
        open = { kind: row.studio, studio: await FilmStudio.open(row.studio) };
      }
      const report = await open.studio.film({ ...row, size: values.size });
      const all = [...report.faults, ...compareHashes(hashes, row, report.film.hash)];
      if (row.studio.hasBarePath && open.studio.mediaKind !== "wasm") {
        all.push(`without ffmpeg on PATH the studio still found ${open.studio.mediaKind}`);
      }
      faults += all.length;
      printRow(index + 1, row, open.studio.mediaKind, report, all);
    }
  } finally {
    await open?.studio.close();
  }
  console.log(faults === 0 ? "All films are as asked" : `${faults} faults`);
  return faults === 0 ? 0 : 1;
}

/** The same film twice must be the same to the last bit, whatever decodes and encodes it; another seed another film. */
function compareHashes(hashes: Map<string, string>, row: Row, hash: string): string[] {
  const { seconds, fps, seed = "1", studio } = row;
  const key = `${seconds} s at ${fps}, seed ${seed}, ${studio.mediaBackend}`;
  const before = hashes.get(key);
  const isTwin = [...hashes].some(([other, its]) => other !== key && its === hash);
  hashes.set(key, hash);
  return [
    ...(before && before !== hash ? ["the same portrait and seed gave other frames"] : []),
    ...(isTwin ? ["another seed or length gave the same frames"] : []),
  ];
}

function printRow(
  number: number,
  row: Row,
  mediaKind: string | undefined,
  { result, film }: FilmReport,
  faults: readonly string[],
): void {
  const { motion, noise } = film;
  console.log(
    `${number}. ${row.seconds} s at ${row.fps}, seed ${
      row.seed ?? 1
    }, ${mediaKind}: ${film.frames} frames, ` +
      `${result.segments.length} segments, seams ${
        result.seams.map((seam) => seam.verdict).join(" ") || "none"
      }, ` +
      `motion ${motion.min}/${motion.mean}/${motion.max}, noise ${noise}, drift ${film.drift}, worst jump ${film.worstJump}, ` +
      `likeness ${result.likeness?.min}, ${film.hash.slice(0, 12)}, ${JSON.stringify(result.timings)}`,
  );
  for (const fault of faults) console.log(`   ✗ ${fault}`);
}

if (import.meta.main) Deno.exit(await main());
