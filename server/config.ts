import * as z from "zod/mini";
import { join, resolve } from "node:path";
import { AppError } from "#server/core/errors.ts";
import "#server/core/field_sentence.ts";
import { readStorePlace, type StorePlace } from "#server/files/store_place.ts";

const Port = z.coerce.number().check(z.int(), z.minimum(0), z.maximum(65535));

const Settings = z.object({
  /** Folder of everything the studio keeps. */
  data: z._default(z.string().check(z.minLength(1)), "data"),
  /** Folder or bucket of the media, which several processes can share; `store` in the data folder by default. */
  store: z.optional(z.string().check(z.minLength(1))),
  port: z._default(Port, 7420),
  host: z._default(
    z.string().check(z.regex(/^[A-Za-z0-9.:[\]-]+$/, "must be an address such as 127.0.0.1 or 0.0.0.0")),
    "127.0.0.1",
  ),
  open: z._default(z.boolean(), false),
  databaseUrl: z.optional(z.string().check(z.regex(/^postgres(ql)?:\/\//, "must start with postgres://"))),
  /** A native ffmpeg to use; else the one on PATH, else WebAssembly. */
  ffmpeg: z.optional(z.string()),
  mediaBackend: z._default(z.enum(["auto", "native", "wasm"]), "auto"),
  logLevel: z._default(z.enum(["debug", "info", "warn", "error"]), "info"),
});

/** Everything that can be set from outside, checked and frozen. */
export type Config = Readonly<Omit<z.output<typeof Settings>, "store"> & { readonly store: StorePlace }>;

/** Each setting's option and environment variable. */
const NAMES = {
  data: ["--data", "SEEDLOOP_DATA"],
  store: ["--store", "SEEDLOOP_STORE"],
  port: ["--port", "SEEDLOOP_PORT"],
  host: ["--host", "SEEDLOOP_HOST"],
  open: ["--open", "SEEDLOOP_OPEN"],
  databaseUrl: ["--database-url", "DATABASE_URL"],
  ffmpeg: ["--ffmpeg", "SEEDLOOP_FFMPEG"],
  mediaBackend: ["--media-backend", "SEEDLOOP_MEDIA_BACKEND"],
  logLevel: ["--log-level", "SEEDLOOP_LOG_LEVEL"],
} as const;

type SettingName = keyof typeof NAMES;

/**
 * Reads options over environment over defaults: the only reader of the environment. Every wrong or unknown one
 * is named at once with the mend.
 */
export function readConfig(
  args: readonly string[],
  env: (name: string) => string | undefined = (name) => Deno.env.get(name),
): Config {
  const given: Record<string, unknown> = {};
  const faults: string[] = [];
  for (const [name, [, variable]] of Object.entries(NAMES)) {
    const value = env(variable);
    if (value !== undefined && value !== "") {
      given[name] = name === "open" ? value === "1" || value === "true" : value;
    }
  }
  readOptions(args, given, faults);
  const parsed = Settings.safeParse(given);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const [option, variable] = NAMES[issue.path[0] as SettingName] ?? ["?", "?"];
      faults.push(`${option} (or ${variable}) ${issue.message}`);
    }
  }
  const data = resolve(parsed.data?.data ?? "data");
  const store = readStorePlace(parsed.data?.store ?? join(data, "store"), {
    accessKeyId: env("AWS_ACCESS_KEY_ID"),
    secretAccessKey: env("AWS_SECRET_ACCESS_KEY"),
    sessionToken: env("AWS_SESSION_TOKEN"),
    region: env("AWS_REGION"),
  }, data);
  if ("fault" in store) faults.push(`${NAMES.store.join(" (or ")}) ${store.fault}`);
  if (faults.length > 0 || !parsed.success || "fault" in store) {
    throw new AppError("invalid", `Cannot start: ${faults.join("; ")}`);
  }
  return Object.freeze({ ...parsed.data, data, store: store.place });
}

function readOptions(args: readonly string[], given: Record<string, unknown>, faults: string[]): void {
  const byOption = new Map<string, SettingName>(
    Object.entries(NAMES).map(([name, [option]]) => [option, name as SettingName]),
  );
  for (let index = 0; index < args.length; index++) {
    const [option = "", inline] = (args[index] ?? "").split(/=(.*)/s);
    const name = byOption.get(option);
    if (!name) {
      faults.push(`there is no option ${option}; there are ${[...byOption.keys()].join(", ")}`);
    } else if (name === "open") {
      given[name] = true;
    } else {
      const value = inline ?? args[++index];
      if (value === undefined || value.startsWith("--")) faults.push(`${option} needs a value`);
      else given[name] = value;
    }
  }
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host);
}
