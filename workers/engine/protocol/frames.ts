const PREVIEW_IMAGE = 1;
const TEXT = 3;
const PREVIEW_IMAGE_WITH_METADATA = 4;
const JPEG = 1;

/** A preview for clients that know no metadata: which node it shows must be guessed. */
export function previewFrame(jpeg: Uint8Array): Uint8Array<ArrayBuffer> {
  return pack([uint32(PREVIEW_IMAGE), uint32(JPEG), jpeg]);
}

/** A preview that names its node and prompt. */
export function previewFrameWithMetadata(
  jpeg: Uint8Array,
  nodeId: string,
  promptId: string,
): Uint8Array<ArrayBuffer> {
  const metadata = new TextEncoder().encode(JSON.stringify({
    node_id: nodeId,
    prompt_id: promptId,
    display_node_id: nodeId,
    parent_node_id: null,
    real_node_id: nodeId,
    image_type: "image/jpeg",
  }));
  return pack([uint32(PREVIEW_IMAGE_WITH_METADATA), uint32(metadata.length), metadata, jpeg]);
}

/** A text that a node shows. */
export function textFrame(nodeId: string, text: string): Uint8Array<ArrayBuffer> {
  const id = new TextEncoder().encode(nodeId);
  return pack([uint32(TEXT), uint32(id.length), id, new TextEncoder().encode(text)]);
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

function pack(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const packed = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    packed.set(part, at);
    at += part.length;
  }
  return packed;
}
