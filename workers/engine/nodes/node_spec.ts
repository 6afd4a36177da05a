import type { Log } from "#server/core/log.ts";
import type { ValueOf } from "#workers/engine/values.ts";
import type { MediaTools } from "#workers/media/run.ts";

/** Folders of one engine, absolute paths. */
export interface Folders {
  readonly input: string;
  readonly output: string;
  readonly temp: string;
  readonly models: string;
}

/** Lists a combo's options when asked, e.g. the files in the input folder. */
export type ListOptions = (folders: Folders) => string[];

/** Options beside a type in `/object_info`, spelled as ComfyUI spells them. */
export interface InputOptions {
  readonly default?: unknown;
  readonly min?: number | bigint;
  readonly max?: number | bigint;
  readonly step?: number;
  readonly round?: number | false;
  readonly multiline?: boolean;
  readonly tooltip?: string;
  readonly display?: string;
  /** For the type "COMBO" of schema v3: the list, or what lists it when asked. */
  readonly options?: readonly string[] | ListOptions;
  readonly [key: string]: unknown;
}

/** A type name, a fixed combo, or a combo that is listed when asked. */
export type InputType = string | readonly string[] | ListOptions;

/** `[TYPE]` or `[TYPE, OPTIONS]`, as in ComfyUI. */
export type InputSpec = readonly [InputType] | readonly [InputType, InputOptions];
/** Inputs by name, in the order in which `/object_info` shows them. */
export type InputSpecs = Readonly<Record<string, InputSpec>>;

type TypeValue<T> = T extends keyof ValueOf ? ValueOf[T]
  : T extends readonly (infer Option extends string)[] ? Option
  : T extends (...args: never[]) => unknown ? string
  : unknown;
type SpecValue<S> = S extends readonly [infer T, ...unknown[]] ? TypeValue<T> : unknown;
type Listed<V, IsList extends boolean> = IsList extends true ? V[] : V;

/** What `run` is handed for the given specs: coerced and checked, links already resolved. */
export type InputValues<R extends InputSpecs, O extends InputSpecs, IsList extends boolean = false> =
  & { readonly [K in keyof R]: Listed<SpecValue<R[K]>, IsList> }
  & { readonly [K in keyof O]?: Listed<SpecValue<O[K]>, IsList> | undefined };

/** One output socket. `list` outputs hand an array, whose elements run downstream nodes once each. */
export interface OutputSpec {
  readonly type: keyof ValueOf;
  /** Shown name; the type by default. */
  readonly name?: string;
  readonly list?: boolean;
}

/** A picture shown while a node works: interleaved RGB bytes. */
export interface PreviewFrame {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
}

/** What a node may use while it runs. */
export interface NodeContext {
  /** Aborted when the prompt is interrupted or the engine stops. Hand it to everything that takes one. */
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly folders: Folders;
  /** ffmpeg, native or wasm; opened on the first call and shared. */
  media(): Promise<MediaTools>;
  readonly promptId: string;
  readonly nodeId: string;
  /** Facts that savers embed: the whole graph, and `extra_data.extra_pnginfo`. */
  readonly metadata: NodeMetadata;
  /** Says how far the node is; throws Interrupted when the prompt was interrupted. Cheap: call it often. */
  progress(value: number, max: number): void;
  /** Shows a picture of the work so far; sent with the next progress. Latest wins. */
  preview(frame: PreviewFrame): void;
  /** Sends a TEXT frame to every socket, as GetImageSize does. */
  text(text: string): void;
  /**
   * Lets the server answer requests, then throws Interrupted when the prompt was interrupted. Returns at once
   * when it last gave way under 15 ms ago: call it in every loop, at least each 50 ms of work.
   */
  breathe(): Promise<void>;
}

export interface NodeMetadata {
  readonly prompt: unknown;
  readonly extraPnginfo: Readonly<Record<string, unknown>> | undefined;
}

/** What a node hands back: one value per output, and for savers what `executed` shows. */
export interface NodeResult {
  readonly outputs: readonly unknown[];
  readonly ui?: Readonly<Record<string, readonly unknown[]>>;
}

/** Literal inputs only (links are left out), before any node has run. */
export type LiteralInputs = Readonly<Record<string, unknown>>;

/** A node's declaration and its function. */
export interface NodeSpec<
  R extends InputSpecs = InputSpecs,
  O extends InputSpecs = InputSpecs,
  IsList extends boolean = boolean,
> {
  readonly classType: string;
  /** The class type by default; null where the stock node has none. */
  readonly displayName?: string | null;
  /** Menu path, e.g. "image/upscaling". */
  readonly category: string;
  readonly description?: string;
  /** Shown in `/object_info` as `python_module`. "seedloop" by default. */
  readonly module?: string;
  /** Which generation of declaration the stock node uses: v3 always shows deprecated, experimental, api_node. */
  readonly schema?: "v1" | "v3";
  readonly required: R;
  readonly optional?: O;
  /** Declared hidden inputs, for `/object_info` only. */
  readonly hidden?: Readonly<Record<string, unknown>>;
  readonly outputs: readonly OutputSpec[];
  /** A prompt runs only what its output nodes need. */
  readonly outputNode?: boolean;
  /** The node takes whole lists: every input of `run` is an array. */
  readonly inputIsList?: IsList;
  readonly deprecated?: boolean;
  readonly experimental?: boolean;
  /**
   * A value that joins the node's cache signature, e.g. a file's hash. NaN or a throw makes the node run always.
   */
  fingerprint?(inputs: LiteralInputs, folders: Folders): unknown;
  /** Inputs that `validate` judges itself: their range and list checks are skipped. */
  readonly validates?: readonly string[];
  /** True, or a sentence that says what is wrong. */
  validate?(inputs: LiteralInputs, folders: Folders): true | string | Promise<true | string>;
  run(inputs: InputValues<R, O, IsList>, context: NodeContext): NodeResult | Promise<NodeResult>;
}

/** A spec whose inputs' types are forgotten: what the engine keeps in its registry. */
export type AnyNode = Omit<NodeSpec, "run"> & {
  run(inputs: Readonly<Record<string, unknown>>, context: NodeContext): NodeResult | Promise<NodeResult>;
};

/**
 * Declares a node. `run` sees its inputs typed by the specs: `["INT", …]` is a number, `["IMAGE"]` an
 * ImageBatch, a combo one of its options; optional inputs may be undefined.
 */
export function defineNode<
  const R extends InputSpecs,
  const O extends InputSpecs = Record<never, never>,
  IsList extends boolean = false,
>(spec: NodeSpec<R, O, IsList>): AnyNode {
  // The engine checks and coerces inputs against the same specs before it calls run.
  return spec as unknown as AnyNode;
}

/** Thrown by a node's context when the prompt was interrupted; let it through. */
export class Interrupted extends Error {
  override readonly name = "InterruptProcessingException";
  constructor() {
    super("The prompt was interrupted");
  }
}
