import { type GraphModel, loadGraphModel } from "@tensorflow/tfjs-converter";
import { setThreadsCount, setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import { FACE_API_MODELS, HUMAN_MODELS } from "./face_weights.ts";

const WASM = new URL("./", import.meta.resolve("@tensorflow/tfjs-backend-wasm"));

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

interface WeightsManifest {
  readonly weights: tf.io.WeightsManifestEntry[];
}

/** Loads a graph model of the `human` package by its bare name. */
export async function loadHumanGraph(name: "blazeface" | "facemesh"): Promise<GraphModel> {
  const json = JSON.parse(await Deno.readTextFile(new URL(`${name}.json`, HUMAN_MODELS)));
  const manifest: WeightsManifest[] = json.weightsManifest;
  const weights = await Deno.readFile(new URL(`${name}.bin`, HUMAN_MODELS));
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
    await Deno.readTextFile(new URL("face_recognition_model-weights_manifest.json", FACE_API_MODELS)),
  );
  const weights = await Deno.readFile(new URL("face_recognition_model.bin", FACE_API_MODELS));
  return tf.io.decodeWeights(weights.buffer, manifest.flatMap((group) => group.weights));
}
