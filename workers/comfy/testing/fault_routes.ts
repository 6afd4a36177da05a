import type { FakePrompt } from "./fault_prompt.ts";
import type { RawRequest } from "./raw_http.ts";

/** What the stand-in is and has: everything that its right answers tell. */
export interface FakeComfy {
  readonly version: string;
  readonly devices: readonly Record<string, unknown>[];
  readonly objectInfo: Record<string, unknown>;
  readonly prompts: ReadonlyMap<string, FakePrompt>;
  readonly uploads: Map<string, Uint8Array>;
  /** What lies behind each output. */
  readonly file: Uint8Array;
  submit(body: SubmitBody): JsonAnswer;
  interrupt(promptId: string | undefined): void;
  dequeue(promptId: string): void;
}

export interface SubmitBody {
  readonly prompt: FakePrompt["graph"];
  readonly prompt_id: string;
  readonly client_id: string;
}

export interface JsonAnswer {
  readonly status: number;
  readonly body?: unknown;
}

export interface WholeAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: Uint8Array;
}

/** What ComfyUI would answer. */
export function answerRightly(comfy: FakeComfy, request: RawRequest): WholeAnswer {
  if (request.method === "GET" && request.path === "/view") return view(comfy, request);
  const { status, body } = request.method === "GET" ? get(comfy, request.path) : post(comfy, request);
  const text = body === undefined ? "" : JSON.stringify(body);
  return { status, type: "application/json; charset=utf-8", body: new TextEncoder().encode(text) };
}

function view({ uploads, file }: FakeComfy, { query }: RawRequest): WholeAnswer {
  const name = `${query.get("subfolder") ?? ""}/${query.get("filename") ?? ""}`;
  const body = query.get("type") === "input" ? uploads.get(name) : file;
  return { status: body === undefined ? 404 : 200, type: "image/png", body: body ?? new Uint8Array() };
}

function get(comfy: FakeComfy, path: string): JsonAnswer {
  const queued = (state: FakePrompt["state"]) =>
    [...comfy.prompts.values()].filter((one) => one.state === state)
      .map((one) => [1, one.promptId, one.graph, {}, []]);
  switch (path) {
    case "/prompt": {
      const left = queued("pending").length + queued("running").length;
      return { status: 200, body: { exec_info: { queue_remaining: left } } };
    }
    case "/queue":
      return { status: 200, body: { queue_running: queued("running"), queue_pending: queued("pending") } };
    case "/system_stats":
      return { status: 200, body: { system: { comfyui_version: comfy.version }, devices: comfy.devices } };
    case "/features":
      return { status: 200, body: { supports_preview_metadata: true, max_upload_size: 104857600 } };
    case "/object_info":
      return { status: 200, body: comfy.objectInfo };
    case "/models":
      return { status: 200, body: [] };
  }
  if (!path.startsWith("/history/")) return { status: 404 };
  const prompt = comfy.prompts.get(path.slice("/history/".length));
  return { status: 200, body: prompt?.history === undefined ? {} : { [prompt.promptId]: prompt.history } };
}

function post(comfy: FakeComfy, { path, body: bytes }: RawRequest): JsonAnswer {
  if (path === "/upload/image") return { status: 200, body: upload(comfy, bytes) };
  const body = bytes.length === 0 ? {} : JSON.parse(new TextDecoder().decode(bytes));
  switch (path) {
    case "/prompt":
      return comfy.submit(body);
    case "/queue":
      for (const id of body.delete ?? []) comfy.dequeue(id);
      return { status: 200 };
    case "/interrupt":
      comfy.interrupt(body.prompt_id);
      return { status: 200 };
    case "/free":
      return { status: 200 };
  }
  return { status: 404 };
}

function upload({ uploads }: FakeComfy, body: Uint8Array): unknown {
  const text = new TextDecoder("latin1").decode(body);
  const name = text.match(/filename="([^"]*)"/)?.[1] ?? "";
  const subfolder = text.match(/name="subfolder"\r\n\r\n([^\r]*)/)?.[1] ?? "";
  const start = text.indexOf("\r\n\r\n", text.indexOf("filename=")) + 4;
  uploads.set(`${subfolder}/${name}`, body.slice(start, text.lastIndexOf("\r\n--")));
  return { name, subfolder, type: "input" };
}

/** Nodes enough for the graphs of the tests. */
export const OBJECT_INFO = {
  EmptyImage: {
    name: "EmptyImage",
    input: { required: { color: ["INT", { min: 0, max: 16777215 }] } },
    output: ["IMAGE"],
    output_node: false,
  },
  LoadImage: {
    name: "LoadImage",
    input: { required: { image: [[], { image_upload: true }] } },
    output: ["IMAGE", "MASK"],
    output_node: false,
  },
  SaveImage: {
    name: "SaveImage",
    input: { required: { images: ["IMAGE"], filename_prefix: ["STRING", {}] } },
    output: [],
    output_node: true,
  },
};
