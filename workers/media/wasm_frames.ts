/**
 * What the WebAssembly child and its owner say to each other: frames of a type byte, a 32-bit
 * little-endian length and that many bytes. Owner → child: Command, then Data… and End for its stdin.
 * Child → owner: Ready, then for each command Data… and Error… (a line each), and Exit.
 */
export const FrameType = { Command: 1, Data: 2, End: 3, Ready: 4, Error: 5, Exit: 6 } as const;
export type FrameType = typeof FrameType[keyof typeof FrameType];

export const FRAME_HEADER_BYTES = 5;

/** Parent → child: one run. */
export interface WasmCommand {
  readonly tool: "ffmpeg" | "ffprobe";
  readonly args: readonly string[];
}

/** Child → parent: how the run ended. `broken` means that the WebAssembly itself trapped. */
export interface WasmExit {
  readonly code: number;
  readonly broken?: string;
  readonly rssBytes: number;
}

/** One frame as bytes. */
export function packFrame(type: FrameType, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(FRAME_HEADER_BYTES + payload.byteLength);
  frame[0] = type;
  new DataView(frame.buffer).setUint32(1, payload.byteLength, true);
  frame.set(payload, FRAME_HEADER_BYTES);
  return frame;
}

/** Cuts a byte stream into frames. The payload is a copy that the reader may keep. */
export async function* readFrames(
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<{ type: number; payload: Uint8Array }, void, void> {
  const header = new Uint8Array(FRAME_HEADER_BYTES);
  let headerAt = 0;
  let payload: Uint8Array | undefined;
  let payloadAt = 0;
  for await (const chunk of stream) {
    let at = 0;
    while (at < chunk.byteLength || (payload && payloadAt === payload.byteLength)) {
      if (!payload) {
        const take = Math.min(FRAME_HEADER_BYTES - headerAt, chunk.byteLength - at);
        header.set(chunk.subarray(at, at + take), headerAt);
        at += take;
        headerAt += take;
        if (headerAt < FRAME_HEADER_BYTES) break;
        payload = new Uint8Array(new DataView(header.buffer).getUint32(1, true));
        payloadAt = 0;
      }
      const take = Math.min(payload.byteLength - payloadAt, chunk.byteLength - at);
      payload.set(chunk.subarray(at, at + take), payloadAt);
      at += take;
      payloadAt += take;
      if (payloadAt < payload.byteLength) continue;
      yield { type: header[0] ?? 0, payload };
      payload = undefined;
      headerAt = 0;
    }
  }
}
