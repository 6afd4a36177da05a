/* The bytes of RIFF files, of which AVI is one. */

/** Up to `size` bytes from a place; fewer at the end of the file. */
export function readAt(file: Deno.FsFile, offset: number, size: number): Uint8Array<ArrayBuffer> {
  file.seekSync(offset, Deno.SeekMode.Start);
  const bytes = new Uint8Array(size);
  let at = 0;
  while (at < size) {
    const count = file.readSync(bytes.subarray(at));
    if (count === null) break;
    at += count;
  }
  return at === size ? bytes : bytes.slice(0, at);
}

/** Writes all of it, however little a call takes. */
export function writeAllSync(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.byteLength;) at += file.writeSync(bytes.subarray(at));
}

/** The four letters at a place. */
export function fourCc(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}

/** ASCII as bytes. */
export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

/** 32-bit numbers, little-endian as RIFF has them. */
export function numbers(values: readonly number[]): Uint8Array {
  return new Uint8Array(new Uint32Array(values).buffer);
}

/** One 64-bit number, little-endian. */
export function wide(value: number): Uint8Array {
  return new Uint8Array(new BigUint64Array([BigInt(value)]).buffer);
}

/** A chunk: its name, length and payload, padded to an even length. */
export function chunk(id: string, payload: Uint8Array): Uint8Array {
  const pad = new Uint8Array(payload.byteLength & 1);
  return join([text(id), numbers([payload.byteLength]), payload, pad]);
}

/** A list of chunks under a name. */
export function list(name: string, chunks: readonly Uint8Array[]): Uint8Array {
  return chunk("LIST", join([text(name), ...chunks]));
}

/** Bytes end to end. */
export function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
