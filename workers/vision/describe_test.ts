import { assertEquals } from "@std/assert/mod.js";
import { describeVision } from "./describe.ts";
import { openFaceModel } from "./face_model.ts";

Deno.test("describeVision names the model and the hash that scores will carry", async () => {
  const model = await openFaceModel();
  model.close();
  const { status, model: name, hash, mend } = await describeVision();
  assertEquals({ status, name, hash, mend }, {
    status: "ready",
    name: model.model.name,
    hash: model.model.hash,
    mend: undefined,
  });
});
