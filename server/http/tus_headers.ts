import { AppError, errorMessage } from "#server/core/errors.ts";
import { ContentHash } from "#server/core/file_ref.ts";
import { isId, newId } from "#server/core/id.ts";
import { withoutUnfit } from "#server/core/name.ts";
import type { HttpContext } from "./http_env.ts";
import type { Checksum } from "./upload_folder.ts";

/** A header that is a number of bytes. */
export function readCount(context: HttpContext, header: string): number {
  const text = context.req.header(header) ?? "";
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw invalidHeader(header, "Must be a number of bytes");
}

/** `Upload-Checksum`: "sha1 base64" or "sha256 base64". */
export function readChecksum(header: string | undefined): Checksum | undefined {
  if (header === undefined) return undefined;
  const [algorithm, digest = ""] = header.trim().split(/\s+/);
  if (algorithm !== "sha1" && algorithm !== "sha256") {
    throw invalidHeader("upload-checksum", "Must be sha1 or sha256");
  }
  return { algorithm, digest: fromBase64(digest, "upload-checksum") };
}

/** `Upload-Metadata`: "key base64,key base64". `filename` names it, `id` identifies it, `sha256` is checked at the end. */
export function readMetadata(
  header: string,
): { uploadId: string; name: string; metadata: Record<string, string> } {
  if (header.length > 8192) throw invalidHeader("upload-metadata", "Must not be longer than 8192 characters");
  const pairs = header.split(",").map((pair) => pair.trim()).filter(Boolean).map((pair) => {
    const [key = "", value = ""] = pair.split(/\s+/);
    if (!/^[\w.-]{1,64}$/.test(key)) {
      throw invalidHeader("upload-metadata", "Must have keys of plain letters");
    }
    const bytes = fromBase64(value, "upload-metadata");
    const text = new TextDecoder().decode(bytes);
    if (text.includes("\0")) throw invalidHeader("upload-metadata", "Must not hold NUL");
    return [key, text] as const;
  });
  const metadata = Object.fromEntries(pairs);
  const { sha256, id: givenId } = metadata;
  if (sha256 !== undefined && !ContentHash.safeParse(sha256).success) {
    throw invalidHeader("upload-metadata", "Must have sha256 in lower-case hex");
  }
  if (givenId !== undefined && !isId(givenId)) {
    throw invalidHeader("upload-metadata", "Must have a UUID as id");
  }
  const uploadId = givenId ?? newId<"upload">();
  return { uploadId, name: plainName(metadata.filename ?? metadata.name ?? ""), metadata };
}

/** The last part of a path, without control characters, at most 255 characters; "file" when nothing is left. */
function plainName(text: string): string {
  const last = text.slice(Math.max(text.lastIndexOf("/"), text.lastIndexOf("\\")) + 1);
  return withoutUnfit(last).trim().slice(0, 255).toWellFormed() || "file";
}

function fromBase64(text: string, header: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(text);
  } catch (error) {
    throw invalidHeader(header, `Must be base64: ${errorMessage(error)}`);
  }
}

function invalidHeader(header: string, message: string): AppError {
  return new AppError("invalid", `Cannot accept the upload: the header ${header} ${message.toLowerCase()}`, {
    fields: [{ field: `/headers/${header}`, message }],
  });
}
