import { AwsV4Signer } from "aws4fetch";
import { encodeHex } from "@std/encoding/hex.js";
import { AppError, errorMessage } from "#server/core/errors.ts";
import { delay } from "#server/core/time.ts";
import type { S3Place } from "./store_place.ts";

export interface S3Timings {
  /** A request, without the body of its answer, and each further piece of that body. */
  readonly answerMs: number;
  readonly pieceMs: number;
  /** Waits before it is tried again, one after the other. */
  readonly againMs: readonly number[];
}

export const S3_TIMINGS: S3Timings = {
  answerMs: 120_000,
  pieceMs: 30_000,
  againMs: [200, 600, 1_500, 4_000],
};

export interface S3Request {
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** Within the bucket, prefix included; none means the bucket itself. */
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
  readonly signal?: AbortSignal | undefined;
}

/** What the object store answered when it refused. */
export class S3Refusal extends Error {
  override readonly name = "S3Refusal";
  constructor(readonly status: number, readonly code: string, readonly said: string) {
    super(`${status} ${code}: ${said}`);
  }
}

const EMPTY_HASH = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const PASSING_STATUS = new Set([408, 429, 500, 502, 503, 504]);

/**
 * Signed requests to one bucket, tried again while the trouble may pass. Each names the SHA-256 of what it sends, so
 * that the store refuses a body that was damaged or cut on the way. Throws S3Refusal, or AppError("busy") when the
 * store does not answer.
 */
export class S3Client {
  readonly place: S3Place;
  readonly timings: S3Timings;

  constructor(place: S3Place, timings: S3Timings = S3_TIMINGS) {
    this.place = place;
    this.timings = timings;
  }

  /** The answer, its body still to be read or cancelled. */
  async send(request: S3Request): Promise<Response> {
    for (let tries = 0;; tries++) {
      const waitMs = this.timings.againMs[tries];
      try {
        return await this.#sendOnce(request);
      } catch (error) {
        request.signal?.throwIfAborted();
        const isPassing = !(error instanceof S3Refusal) || PASSING_STATUS.has(error.status);
        if (!isPassing || isFull(error)) throw error;
        if (waitMs === undefined) throw error instanceof S3Refusal ? error : this.silent(error);
        await delay(waitMs, request.signal);
      }
    }
  }

  /** send(), and the whole of a small answer as text. */
  async sendForText(request: S3Request): Promise<string> {
    return await (await this.send(request)).text();
  }

  silent(cause: unknown): AppError {
    const { endpoint } = this.place;
    return new AppError(
      "busy",
      `Cannot reach the media store at ${endpoint}: ${
        errorMessage(cause)
      }. Check that it runs and that its address in --store is right`,
      { retryAfterMs: 10_000, cause },
    );
  }

  async #sendOnce({ method, key, query = {}, headers = {}, body, signal }: S3Request): Promise<Response> {
    const { endpoint, bucket } = this.place;
    const url = new URL(`${endpoint}/${bucket}${key === undefined ? "" : `/${key}`}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const hash = body ? encodeHex(new Uint8Array(await crypto.subtle.digest("SHA-256", body))) : EMPTY_HASH;
    const signed = await new AwsV4Signer({
      url: url.href,
      method,
      headers: { ...headers, "x-amz-content-sha256": hash },
      ...(body ? { body } : {}),
      accessKeyId: this.place.accessKeyId,
      secretAccessKey: this.place.secretAccessKey,
      ...(this.place.sessionToken ? { sessionToken: this.place.sessionToken } : {}),
      service: "s3",
      region: this.place.region,
    }).sign();
    const late = AbortSignal.timeout(this.timings.answerMs);
    const response = await fetch(signed.url, {
      method,
      headers: signed.headers,
      ...(body ? { body } : {}),
      redirect: "manual",
      signal: signal ? AbortSignal.any([signal, late]) : late,
    });
    if (response.ok) return response;
    const text = method === "HEAD" ? "" : await response.text().catch(() => "");
    await response.body?.cancel().catch(() => {});
    throw new S3Refusal(
      response.status,
      tag(text, "Code") ?? HEAD_CODES[response.status] ?? "",
      tag(text, "Message") ?? "",
    );
  }
}

/** An answer without a body says only this much. */
const HEAD_CODES: Readonly<Record<number, string>> = { 403: "AccessDenied", 404: "NotFound" };

/** The first element of that name in an S3 answer, which nests no two of one name that we read. */
export function tag(xml: string, name: string): string | undefined {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
  return text?.replaceAll("&quot;", '"').replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll(
    "&amp;",
    "&",
  );
}

function isFull(error: unknown): boolean {
  return error instanceof S3Refusal &&
    (error.status === 507 ||
      /^(QuotaExceeded|InsufficientCapacity|XMinioStorageFull|StorageFull|XMinioAdminBucketQuotaExceeded)$/
        .test(
          error.code,
        ));
}

/** What a refusal means and its mend, as an error for the caller; anything else as it came. */
export function explainRefusal(error: unknown, place: S3Place, what: string): unknown {
  if (!(error instanceof S3Refusal)) return error;
  const busy = (why: string) =>
    new AppError("busy", `Cannot ${what}: ${why}`, { retryAfterMs: 30_000, cause: error });
  if (isFull(error)) {
    return new AppError("storage_full", `Cannot ${what}: the media store at ${place.endpoint} is full`, {
      cause: error,
    });
  }
  switch (error.code) {
    case "InvalidAccessKeyId":
    case "XAdminUserNotFound":
    case "SignatureDoesNotMatch":
    case "InvalidToken":
    case "ExpiredToken":
    case "AccessDenied":
      return busy(
        `the media store does not accept our key for the bucket "${place.bucket}" (${error.code}). Check ` +
          "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and that this key may read, write, list and delete there",
      );
    case "RequestTimeTooSkewed":
      return busy("this machine's clock differs too much from the media store's. Set the clock right");
    case "NoSuchBucket":
      return busy(
        `there is no bucket "${place.bucket}" at ${place.endpoint}. Make it, or name another in --store`,
      );
    case "PermanentRedirect":
    case "AuthorizationHeaderMalformed":
      return busy(`the bucket "${place.bucket}" is in another region: add ?region=… to --store`);
    default:
      return busy(`the media store at ${place.endpoint} refused: ${error.message}`);
  }
}
