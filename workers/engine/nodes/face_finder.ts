import type { Log } from "#server/core/log.ts";
import type { FaceShape } from "#workers/engine/pixels/subject.ts";
import type { Picture } from "#workers/engine/pixels/picture.ts";
import { type OpenFaceModel, openFaceModel } from "#workers/vision/face_model.ts";

let opening: Promise<OpenFaceModel | undefined> | undefined;

/** The face model, loaded once per process; undefined (and a warning) when it can't be, then nodes work without. */
function faceModel(log: Log): Promise<OpenFaceModel | undefined> {
  opening ??= openFaceModel().catch((error: unknown) => {
    log.warn("face model missing: pictures are framed without it", { error: String(error) });
    return undefined;
  });
  return opening;
}

/** Faces of a picture, the largest first; none when there is no face model. */
export async function findFaces(picture: Picture, log: Log): Promise<readonly FaceShape[]> {
  const model = await faceModel(log);
  return model ? await model.detect(picture.rgb, picture.width, picture.height) : [];
}

/**
 * Faces of a picture, the one most like the largest face of `reference` first: in a group the camera then
 * stays with its character.
 */
export async function findFacesLike(
  picture: Picture,
  reference: Picture | undefined,
  log: Log,
): Promise<readonly FaceShape[]> {
  const model = await faceModel(log);
  if (!model) return [];
  const faces = await model.detect(picture.rgb, picture.width, picture.height);
  if (!reference || faces.length < 2) return faces;
  const [known] = await model.detect(reference.rgb, reference.width, reference.height);
  if (!known) return faces;
  const wanted = await model.embed(reference.rgb, reference.width, reference.height, known);
  const scored: { face: (typeof faces)[number]; distance: number }[] = [];
  for (const face of faces) {
    const found = await model.embed(picture.rgb, picture.width, picture.height, face);
    scored.push({ face, distance: model.distance(found, wanted) });
  }
  return scored.toSorted((a, b) => a.distance - b.distance).map(({ face }) => face);
}
