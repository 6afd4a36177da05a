import { createHash } from "node:crypto";
import { type GraphModel, loadGraphModel } from "@tensorflow/tfjs-converter";
import { setThreadsCount, setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";

const WASM = new URL("./", import.meta.resolve("@tensorflow/tfjs-backend-wasm"));
// human hides its models behind "exports", so they are found beside what it does export
const HUMAN = new URL("../models/", import.meta.resolve("@vladmandic/human"));
const FACE_API = new URL("../model/", import.meta.resolve("@vladmandic/face-api"));

/** The files a face model is made of, in the order in which its hash reads them. */
export const WEIGHT_FILES: readonly URL[] = [
  new URL("blazeface.bin", HUMAN),
  new URL("facemesh.bin", HUMAN),
  new URL("face_recognition_model.bin", FACE_API),
];

/** Makes tfjs compute in WebAssembly on one thread; the pure JavaScript backend is twenty times slower. */
export async function startTensors(): Promise<void> {
  // One thread: a second one gains 10–30 % on a still machine and costs other jobs a core.
  setThreadsCount(1);
  setWasmPaths(WASM.protocol === "file:" ? decodeURIComponent(WASM.pathname) : WASM.href);
  if (!await tf.setBackend("wasm")) {
    throw new Error(
      `Could not start the face model's WebAssembly backend from ${WASM.href}: run "deno install" to fetch it again`,
    );
  }
  await tf.ready();
}

/** SHA-256 over the weight files one after the other: scores of two hashes are never compared. */
export async function hashWeights(): Promise<string> {
  const hash = createHash("sha256");
  for (const file of WEIGHT_FILES) hash.update(await Deno.readFile(file));
  return hash.digest("hex");
}

interface WeightsManifest {
  readonly weights: tf.io.WeightsManifestEntry[];
}

/** Loads a graph model of the `human` package by its bare name. */
export async function loadHumanGraph(name: "blazeface" | "facemesh"): Promise<GraphModel> {
  const json = JSON.parse(await Deno.readTextFile(new URL(`${name}.json`, HUMAN)));
  const manifest: WeightsManifest[] = json.weightsManifest;
  const weights = await Deno.readFile(new URL(`${name}.bin`, HUMAN));
  return await loadGraphModel({
    load: () =>
      Promise.resolve({
        modelTopology: json.modelTopology,
        format: json.format,
        ...(json.signature === undefined ? {} : { signature: json.signature }),
        weightSpecs: manifest.flatMap((group) => group.weights),
        weightData: weights.buffer,
      }),
  });
}

/** The tensors of dlib's face recognition net as `face-api` packs them, by name. */
export async function loadDlibWeights(): Promise<Record<string, tf.Tensor>> {
  const manifest: WeightsManifest[] = JSON.parse(
    await Deno.readTextFile(new URL("face_recognition_model-weights_manifest.json", FACE_API)),
  );
  const weights = await Deno.readFile(new URL("face_recognition_model.bin", FACE_API));
  return tf.io.decodeWeights(weights.buffer, manifest.flatMap((group) => group.weights));
}
