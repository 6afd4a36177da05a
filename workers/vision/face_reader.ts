import { errorMessage } from "#server/core/errors.ts";
import type { Face, FaceModel } from "#server/seeds/job_kinds.ts";
import type { OpenFaceModel, SearchEffort } from "./face_model.ts";
import { whyNotComparable } from "./likeness.ts";
import type { RgbImage } from "./pixels.ts";

/** Stands where a model's name belongs when none could be loaded. */
export const NO_FACE_MODEL: FaceModel = { name: "none", hash: "", metric: "none" };

/** Whom to compare with: an embedding, or why there is none. */
export type Portrait = { readonly embedding: Float32Array } | { readonly reason: string };

/** What the faces of one picture say. */
export interface FaceReading {
  readonly faces: readonly Face[];
  /** The face that is most like the portrait; without a portrait the largest. */
  readonly subject: Face | undefined;
  readonly likeness: number | null;
  /** Why `likeness` is null although a portrait was given. */
  readonly reason: string | undefined;
}

const MAX_COMPARED = 4;
const MAX_PORTRAITS = 64;
const RETRY_MISSES = 8;

/**
 * Faces against a portrait. The model is loaded when first needed; when it can't be, everything still
 * answers, with the reason in place of scores.
 */
export class FaceReader {
  readonly #open: () => Promise<OpenFaceModel>;
  #opened: Promise<OpenFaceModel | { readonly reason: string }> | undefined;
  readonly #portraits = new Map<string, Portrait>();

  constructor(open?: () => Promise<OpenFaceModel>) {
    this.#open = open ?? (async () => await (await import("./face_model.ts")).openFaceModel());
  }

  /** The model in use, or NO_FACE_MODEL. */
  async model(): Promise<FaceModel> {
    const opened = await this.#get();
    return "reason" in opened ? NO_FACE_MODEL : opened.model;
  }

  /** Reads the portrait's largest face, once per content hash. */
  async portrait(hash: string, read: () => Promise<RgbImage>): Promise<Portrait> {
    const known = this.#portraits.get(hash);
    if (known) return known;
    const opened = await this.#get();
    if ("reason" in opened) return opened;
    const picture = await read();
    const [face] = await opened.detect(picture.data, picture.width, picture.height);
    const hindrance = face ? whyNotComparable(picture, face) : "no face was found";
    const portrait: Portrait = face && hindrance === undefined
      ? { embedding: await opened.embed(picture.data, picture.width, picture.height, face) }
      : { reason: `the portrait can't be compared with: ${hindrance}` };
    if (this.#portraits.size >= MAX_PORTRAITS) this.#portraits.delete(this.#portraits.keys().next().value!);
    this.#portraits.set(hash, portrait);
    return portrait;
  }

  /** Finds the faces of a picture and compares each usable one with the portrait; the best match counts. */
  async read(picture: RgbImage, portrait: Portrait | undefined, effort: SearchEffort): Promise<FaceReading> {
    const opened = await this.#get();
    if ("reason" in opened) {
      return { faces: [], subject: undefined, likeness: null, reason: opened.reason };
    }
    const { data, width, height } = picture;
    const faces = await opened.detect(data, width, height, effort);
    const [largest] = faces;
    const none = (reason: string | undefined) => ({ faces, subject: largest, likeness: null, reason });
    if (!portrait) return none(undefined);
    if ("reason" in portrait) return none(portrait.reason);
    if (!largest) return none("no face was found");
    let best: { face: Face; likeness: number } | undefined;
    for (const face of faces.slice(0, MAX_COMPARED)) {
      if (whyNotComparable(picture, face) !== undefined) continue;
      const embedding = await opened.embed(data, width, height, face);
      const likeness = opened.likeness(opened.distance(embedding, portrait.embedding));
      if (!best || likeness > best.likeness) best = { face, likeness };
    }
    if (!best) return none(whyNotComparable(picture, largest));
    return { faces, subject: best.face, likeness: best.likeness, reason: undefined };
  }

  #get(): Promise<OpenFaceModel | { readonly reason: string }> {
    return this.#opened ??= this.#open().catch((thrown) => ({
      reason: `no face model could be loaded: ${errorMessage(thrown)}`,
    }));
  }
}

/** How hard to look in the frames of one clip: thoroughly at first, and again where that has paid or now and then. */
export class SearchPlan {
  #misses = 0;
  #isThoroughNeeded = false;

  /** Efforts to try in turn on the next frame, until one finds a face. */
  efforts(): readonly SearchEffort[] {
    const isDue = this.#isThoroughNeeded || this.#misses % RETRY_MISSES === 0;
    return isDue ? ["quick", "thorough"] : ["quick"];
  }

  note(found: SearchEffort | undefined): void {
    this.#misses = found ? 0 : this.#misses + 1;
    this.#isThoroughNeeded = found === "thorough";
  }
}
