import { assertEquals } from "@std/assert/mod.js";
import { FilmStudio } from "./demo_matrix.ts";

Deno.test("the main path runs from portrait to delivery on the WebAssembly media tools alone", async () => {
  const studio = await FilmStudio.open({ mediaBackend: "auto", hasBarePath: true });
  try {
    const { faults, result, film } = await studio.film({
      seconds: "2.5",
      fps: "24000/1001",
      size: "384x256",
    });
    assertEquals(faults, []);
    assertEquals(studio.mediaKind, "wasm");
    assertEquals(film.frames, 60);
    assertEquals(result.engine, "cpu-preview");
  } finally {
    await studio.close();
  }
});
