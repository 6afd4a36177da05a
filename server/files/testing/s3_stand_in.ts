import { createHash } from "node:crypto";
import { AwsV4Signer } from "aws4fetch";

interface StoredObject {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly at: Date;
}

/** What the stand-in does with one request instead of answering it rightly; undefined = answer it. */
export type S3Misdeed =
  | { readonly status: number; readonly code: string }
  /** Sends so many bytes of the body and cuts the line. */
  | { readonly cutAfter: number }
  /** Does what is asked, and answers as if it had not been done. */
  | { readonly loseAnswer: true };

export const STAND_IN_KEYS = { accessKeyId: "stand-in", secretAccessKey: "its-secret", region: "us-east-1" };

/**
 * A stand-in for an S3 server with one bucket, in memory: signatures and body hashes are checked, uploads in parts are
 * invisible until completed, lists come in pages of two.
 */
export class S3StandIn implements AsyncDisposable {
  readonly bucket = "media";
  readonly objects = new Map<string, StoredObject>();
  readonly uploads = new Map<
    string,
    { readonly key: string; readonly parts: Map<number, Uint8Array<ArrayBuffer>>; at: Date }
  >();
  /** "PUT", "POST ?uploads", … in order. */
  readonly requests: string[] = [];
  misbehave: (request: Request, key: string) => S3Misdeed | undefined = () => undefined;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor() {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      (request) => this.#answer(request),
    );
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  async #answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const [, bucket = "", ...rest] = url.pathname.split("/");
    const key = decodeURIComponent(rest.join("/"));
    const body = new Uint8Array(await request.arrayBuffer());
    this.requests.push(
      `${request.method}${[...url.searchParams.keys()].map((name) => ` ?${name}`).join("")}`,
    );
    const misdeed = this.misbehave(request, key);
    if (misdeed && "status" in misdeed) return refuse(misdeed.status, misdeed.code);
    const refusal = await this.#refusalOf(request, body, bucket);
    if (refusal) return refusal;
    const answer = this.#do(request.method, key, url.searchParams, request.headers, body);
    if (misdeed && "loseAnswer" in misdeed) return refuse(500, "InternalError");
    if (misdeed && "cutAfter" in misdeed) return cut(answer, misdeed.cutAfter);
    return answer;
  }

  async #refusalOf(request: Request, body: Uint8Array, bucket: string): Promise<Response | undefined> {
    const headers = new Headers(request.headers);
    const given = headers.get("authorization") ?? "";
    if (!given.includes(`Credential=${STAND_IN_KEYS.accessKeyId}/`)) return refuse(403, "InvalidAccessKeyId");
    const names = /SignedHeaders=([^,]+)/.exec(given)?.[1]?.split(";") ?? [];
    const signed = new Headers(
      names.filter((name) => name !== "host").map((
        name,
      ): [string, string] => [name, headers.get(name) ?? ""]),
    );
    const datetime = headers.get("x-amz-date") ?? "";
    const again = await new AwsV4Signer({
      url: request.url,
      method: request.method,
      headers: signed,
      ...STAND_IN_KEYS,
      service: "s3",
      datetime,
    }).sign();
    if (again.headers.get("authorization") !== given) return refuse(403, "SignatureDoesNotMatch");
    const hash = createHash("sha256").update(body).digest("hex");
    if (hash !== headers.get("x-amz-content-sha256")) return refuse(400, "XAmzContentSHA256Mismatch");
    return bucket === this.bucket ? undefined : refuse(404, "NoSuchBucket");
  }

  #do(
    method: string,
    key: string,
    query: URLSearchParams,
    headers: Headers,
    body: Uint8Array<ArrayBuffer>,
  ): Response {
    const uploadId = query.get("uploadId");
    if (method === "GET" && key === "") return query.has("uploads") ? this.#listUploads() : this.#list(query);
    if (method === "GET" || method === "HEAD") return this.#get(key, method, headers);
    if (method === "POST" && query.has("uploads")) {
      const id = crypto.randomUUID();
      this.uploads.set(id, { key, parts: new Map(), at: new Date() });
      return xml(`<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`);
    }
    if (uploadId !== null) return this.#part(method, uploadId, query, body);
    if (method === "DELETE") {
      this.objects.delete(key);
      return new Response(null, { status: 204 });
    }
    this.objects.set(key, { bytes: body, at: new Date() });
    return new Response(null, { headers: { etag: '"1"' } });
  }

  #part(method: string, uploadId: string, query: URLSearchParams, body: Uint8Array<ArrayBuffer>): Response {
    const upload = this.uploads.get(uploadId);
    if (!upload) return refuse(404, "NoSuchUpload");
    if (method === "PUT") {
      upload.parts.set(Number(query.get("partNumber")), body);
      return new Response(null, { headers: { etag: '"part"' } });
    }
    this.uploads.delete(uploadId);
    if (method === "DELETE") return new Response(null, { status: 204 });
    const parts = [...upload.parts].sort(([a], [b]) => a - b).map(([, part]) => part);
    const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    this.objects.set(upload.key, { bytes, at: new Date() });
    return xml("<CompleteMultipartUploadResult></CompleteMultipartUploadResult>");
  }

  #get(key: string, method: string, headers: Headers): Response {
    const found = this.objects.get(key);
    if (!found) return refuse(404, "NoSuchKey");
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(headers.get("range") ?? "") ?? [];
    const bytes = from === undefined ? found.bytes : found.bytes.slice(Number(from), Number(to) + 1);
    return new Response(method === "HEAD" ? null : bytes, {
      status: from === undefined ? 200 : 206,
      headers: { "content-length": String(bytes.length), "last-modified": found.at.toUTCString() },
    });
  }

  #list(query: URLSearchParams): Response {
    const prefix = query.get("prefix") ?? "";
    const after = query.get("continuation-token") ?? "";
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
    const page = keys.slice(0, 2);
    const items = page.map((key) => {
      const found = this.objects.get(key);
      return `<Contents><Key>${key}</Key><LastModified>${found?.at.toISOString()}</LastModified><Size>${found?.bytes.length}</Size></Contents>`;
    });
    const more = keys.length > page.length
      ? `<IsTruncated>true</IsTruncated><NextContinuationToken>${page.at(-1)}</NextContinuationToken>`
      : "<IsTruncated>false</IsTruncated>";
    return xml(`<ListBucketResult>${items.join("")}${more}</ListBucketResult>`);
  }

  #listUploads(): Response {
    const items = [...this.uploads].map(([id, { key, at }]) =>
      `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>${at.toISOString()}</Initiated></Upload>`
    );
    return xml(`<ListMultipartUploadsResult>${items.join("")}</ListMultipartUploadsResult>`);
  }
}

function xml(text: string): Response {
  return new Response(`<?xml version="1.0"?>${text}`, { headers: { "content-type": "application/xml" } });
}

function refuse(status: number, code: string): Response {
  return new Response(`<Error><Code>${code}</Code><Message>${code} it is</Message></Error>`, { status });
}

function cut(answer: Response, after: number): Response {
  let left = after;
  const body = answer.body?.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        controller.enqueue(chunk.subarray(0, left));
        left -= Math.min(left, chunk.length);
        if (left === 0) controller.error(new Error("cut"));
      },
    }),
  );
  return new Response(body, answer);
}
