import * as z from "zod/mini";
import { join, resolve } from "node:path";

/** A bucket, or a part of one, on a server that speaks S3. */
export const S3Place = z.object({
  /** "https://s3.example.org:9000", without a slash at its end. The bucket is named in the path. */
  endpoint: z.string(),
  bucket: z.string(),
  /** "" or "studio/", before each key. */
  prefix: z.string(),
  region: z.string(),
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
  sessionToken: z.optional(z.string()),
  /** What was fetched lately, for tools that want a file: a folder of this process, and the most it holds. */
  cacheFolder: z.string(),
  cacheBytes: z.number(),
});
export type S3Place = z.infer<typeof S3Place>;

/** Where the media lies: a folder, or a bucket. */
export const StorePlace = z.union([z.string(), S3Place]);
export type StorePlace = z.infer<typeof StorePlace>;

/** Credentials, which come by the environment and never by an option that others on the machine can read. */
export interface StoreKeys {
  readonly accessKeyId: string | undefined;
  readonly secretAccessKey: string | undefined;
  readonly sessionToken: string | undefined;
  readonly region: string | undefined;
}

const GB = 1_000_000_000;
const DEFAULT_CACHE_GB = 20;

/**
 * Reads `--store`: a folder, or `s3://bucket/prefix?endpoint=https://…&region=…&cacheGb=20`. Returns what is wrong
 * with it as a sentence.
 */
export function readStorePlace(
  text: string,
  keys: StoreKeys,
  data: string,
): { readonly place: StorePlace } | { readonly fault: string } {
  if (!/^s3:/i.test(text)) {
    if (/^[a-z][a-z0-9+.-]+:\/\//i.test(text)) return { fault: "must be a folder, or s3://bucket/prefix" };
    return { place: resolve(text) };
  }
  if (!URL.canParse(text)) return { fault: "is no address: write s3://bucket/prefix?endpoint=https://…" };
  const url = new URL(text);
  const known = ["endpoint", "region", "cacheGb"];
  const unknown = [...url.searchParams.keys()].filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    return { fault: `has an unknown part "${unknown[0]}"; there are ${known.join(", ")}` };
  }
  if (url.username || url.password) {
    return { fault: "must not hold the key: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" };
  }
  const bucket = url.hostname;
  const prefix = url.pathname.replace(/^\/+|\/+$/g, "");
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) {
    return { fault: "names no bucket: write s3://bucket/prefix" };
  }
  if (!/^[A-Za-z0-9._/-]*$/.test(prefix) || /(^|\/)\.{0,2}(\/|$)/.test(`${prefix || "x"}`)) {
    return { fault: "has a prefix with other signs than letters, digits, . _ - and /" };
  }
  const region = url.searchParams.get("region") ?? keys.region ?? "us-east-1";
  const endpoint = url.searchParams.get("endpoint") ?? `https://s3.${region}.amazonaws.com`;
  if (!URL.canParse(endpoint) || !/^https?:$/.test(new URL(endpoint).protocol)) {
    return { fault: "has an endpoint that is no http or https address" };
  }
  const cacheGb = Number(url.searchParams.get("cacheGb") ?? DEFAULT_CACHE_GB);
  if (!(cacheGb > 0)) return { fault: "has a cacheGb that is no number above 0" };
  if (!keys.accessKeyId || !keys.secretAccessKey) {
    return { fault: "needs a key: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment" };
  }
  return {
    place: {
      endpoint: endpoint.replace(/\/+$/, ""),
      bucket,
      prefix: prefix === "" ? "" : `${prefix}/`,
      region,
      accessKeyId: keys.accessKeyId,
      secretAccessKey: keys.secretAccessKey,
      ...(keys.sessionToken ? { sessionToken: keys.sessionToken } : {}),
      cacheFolder: join(data, "cache"),
      cacheBytes: cacheGb * GB,
    },
  };
}
