const PIECE_BYTES = 4 * 1024 * 1024;

/**
 * SHA-256 of a file in lower-case hex, read piece by piece. In WebAssembly: the browser's own digest wants the whole
 * file in memory and is not there at all on plain HTTP.
 */
export async function hashFile(file: Blob, signal: AbortSignal): Promise<string> {
  const { createSHA256 } = await import("hash-wasm");
  const hash = await createSHA256();
  for (let at = 0; at < file.size; at += PIECE_BYTES) {
    signal.throwIfAborted();
    hash.update(new Uint8Array(await file.slice(at, at + PIECE_BYTES).arrayBuffer()));
  }
  return hash.digest("hex");
}
