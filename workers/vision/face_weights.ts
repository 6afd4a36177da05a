import { createHash } from "node:crypto";

/** The model as scores name it. */
export const FACE_MODEL_NAME = "blazeface+facemesh+dlib-resnet";

// human hides its models behind "exports", so they are found beside what it does export
/** Folder of the `human` package's models. */
export const HUMAN_MODELS = new URL("../models/", import.meta.resolve("@vladmandic/human"));
/** Folder of the `face-api` package's models. */
export const FACE_API_MODELS = new URL("../model/", import.meta.resolve("@vladmandic/face-api"));

/** The files a face model is made of, in the order in which its hash reads them. */
export const WEIGHT_FILES: readonly URL[] = [
  new URL("blazeface.bin", HUMAN_MODELS),
  new URL("facemesh.bin", HUMAN_MODELS),
  new URL("face_recognition_model.bin", FACE_API_MODELS),
];

/** SHA-256 over the weight files one after the other: scores of two hashes are never compared. */
export async function hashWeights(): Promise<string> {
  const hash = createHash("sha256");
  for (const file of WEIGHT_FILES) hash.update(await Deno.readFile(file));
  return hash.digest("hex");
}
