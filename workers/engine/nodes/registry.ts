import type { Registry } from "#workers/engine/graph.ts";
import { emptyImage } from "./empty_image.ts";
import {
  getImageSize,
  imageBatch,
  imageFromBatch,
  rebatchImages,
  repeatImageBatch,
} from "./image_batches.ts";
import { imageBlend } from "./image_blend.ts";
import { imageBlur, imageSharpen } from "./image_blur.ts";
import { imageCrop } from "./image_crop.ts";
import { imageInvert } from "./image_invert.ts";
import {
  imageScale,
  imageScaleBy,
  imageScaleToMaxDimension,
  imageScaleToTotalPixels,
} from "./image_scale.ts";
import { imageStitch } from "./image_stitch.ts";
import { imageFlip, imageRotate } from "./image_turn.ts";
import { emptyLatentImage, loadLatent, saveLatent, vaeDecode, vaeEncode, vaeLoader } from "./latents.ts";
import { loadImage, loadImageMask } from "./load_image.ts";
import { imageCompositeMasked, imageToMask, maskToImage } from "./masks.ts";
import type { AnyNode } from "./node_spec.ts";
import {
  previewAny,
  primitiveBoolean,
  primitiveFloat,
  primitiveInt,
  primitiveString,
  primitiveStringMultiline,
  stringConcatenate,
} from "./primitives.ts";
import { resizeAndPadImage } from "./resize_and_pad.ts";
import { saveAnimatedPng, saveAnimatedWebp } from "./save_animated.ts";
import { previewImage, saveImage } from "./save_image.ts";
import { SEEDLOOP_NODES } from "./seedloop_nodes.ts";
import { solidMask } from "./solid_mask.ts";
import { createVideo, getVideoComponents, loadVideo, saveVideo, saveWebm } from "./video.ts";

/** Stock nodes under their real names, with the same results as ComfyUI's. */
export const STOCK_NODES: readonly AnyNode[] = [
  ...[emptyImage, solidMask, loadImage, loadImageMask],
  ...[imageScale, imageScaleBy, imageScaleToTotalPixels, imageScaleToMaxDimension],
  ...[imageCrop, imageFlip, imageRotate, resizeAndPadImage, imageStitch],
  ...[imageInvert, imageBlend, imageBlur, imageSharpen],
  ...[maskToImage, imageToMask, imageCompositeMasked],
  ...[emptyLatentImage, vaeLoader, vaeEncode, vaeDecode, saveLatent, loadLatent],
  ...[imageBatch, imageFromBatch, repeatImageBatch, rebatchImages, getImageSize],
  ...[saveImage, previewImage, saveAnimatedPng, saveAnimatedWebp],
  ...[createVideo, loadVideo, getVideoComponents, saveVideo, saveWebm],
  ...[primitiveInt, primitiveFloat, primitiveString, primitiveStringMultiline, primitiveBoolean],
  ...[stringConcatenate, previewAny],
];

/** Every node that the engine has, by class_type. */
export const REGISTRY: Registry = new Map(
  [...STOCK_NODES, ...SEEDLOOP_NODES].map((spec) => [spec.classType, spec]),
);
