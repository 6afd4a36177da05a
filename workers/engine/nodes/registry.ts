import type { Registry } from "#workers/engine/graph.ts";
import { emptyImage } from "./empty_image.ts";
import { imageInvert } from "./image_invert.ts";
import type { AnyNode } from "./node_spec.ts";
import { previewImage, saveImage } from "./save_image.ts";
import { SEEDLOOP_NODES } from "./seedloop_nodes.ts";

/** Stock nodes under their real names, with the same results as ComfyUI's. */
const STOCK_NODES: readonly AnyNode[] = [emptyImage, imageInvert, saveImage, previewImage];

/** Every node that the engine has, by class_type. */
export const REGISTRY: Registry = new Map(
  [...STOCK_NODES, ...SEEDLOOP_NODES].map((spec) => [spec.classType, spec]),
);
