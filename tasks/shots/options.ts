import { resolve } from "node:path";
import { THEMES } from "#client/design/tokens.ts";

export interface ShotsOptions {
  readonly out: string;
  /** A data folder whose copy is used instead of a studio made for the pictures. */
  readonly data: string | undefined;
  /** A studio that runs, instead of one started for the pictures. */
  readonly url: string | undefined;
  readonly login: string;
  readonly password: string;
  readonly themes: readonly string[];
  readonly sizes: readonly { readonly width: number; readonly height: number }[];
  readonly language: string;
  /** Only pictures whose "screen state" has this in it. */
  readonly only: string | undefined;
}

export const HELP =
  `deno task shots: a picture of every screen, empty, full and failing, and a page of them all

  --out DIR             where the pictures and index.html go (default ./seedloop-shots)
  --data DIR            use a copy of this data folder; with --login and --password
  --url URL             use a running studio; with --login and --password
  --login L --password P  who looks (default: the admin of the studio that is made)
  --themes A,B          ${THEMES.join(", ")} (default dark,light)
  --sizes WxH,WxH       default 1280x720,2560x1440
  --language L          en, de or pseudo (default en)
  --only TEXT           only pictures whose name has this in it, "clip running"`;

const NAMES = ["out", "data", "url", "login", "password", "themes", "sizes", "language", "only"] as const;

/** Reads the options, or throws a RangeError that names the option and the mend. */
export function readOptions(args: readonly string[]): ShotsOptions | "help" {
  const given = new Map<string, string>();
  for (let index = 0; index < args.length; index++) {
    const [name = "", inline] = (args[index] ?? "").replace(/^--/, "").split(/=(.*)/s);
    if (name === "help") return "help";
    if (!NAMES.some((each) => each === name)) {
      throw new RangeError(`There is no option ${args[index]}\n\n${HELP}`);
    }
    const value = inline ?? args[++index];
    if (value === undefined) throw new RangeError(`--${name} needs a value`);
    given.set(name, value);
  }
  const themes = (given.get("themes") ?? "dark,light").split(",");
  for (const theme of themes) {
    if (!THEMES.some((known) => known === theme)) {
      throw new RangeError(`--themes ${theme} is no theme: give some of ${THEMES.join(", ")}`);
    }
  }
  if ((given.has("data") || given.has("url")) && !(given.has("login") && given.has("password"))) {
    throw new RangeError("A studio that is there already needs --login and --password");
  }
  return {
    out: resolve(given.get("out") ?? "seedloop-shots"),
    data: given.get("data"),
    url: given.get("url")?.replace(/\/$/, ""),
    login: given.get("login") ?? "ada",
    password: given.get("password") ?? "a phrase that is long enough",
    themes,
    sizes: (given.get("sizes") ?? "1280x720,2560x1440").split(",").map(readSize),
    language: given.get("language") ?? "en",
    only: given.get("only"),
  };
}

function readSize(text: string): { width: number; height: number } {
  const [width = 0, height = 0] = /^(\d+)x(\d+)$/.exec(text)?.slice(1).map(Number) ?? [];
  if (width < 320 || height < 240) {
    throw new RangeError(`--sizes ${text} is no size: write it as 1280x720, at least 320x240`);
  }
  return { width, height };
}
