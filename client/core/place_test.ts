import { assertEquals } from "@std/assert/mod.js";
import { addressOf, type Place, placeOf } from "./place.ts";

Deno.test("addressOf and placeOf are each other's inverse", () => {
  const places: Place[] = [
    { projectId: undefined, screen: "status" },
    { projectId: "p 1/2", screen: "characters" },
    { projectId: "p1", entity: { kind: "clip", id: "c1" } },
    { projectId: undefined, entity: { kind: "job", id: "j1" } },
    { projectId: undefined, screen: undefined },
  ];
  assertEquals(places.map(addressOf), [
    "/status",
    "/projects/p%201%2F2/characters",
    "/projects/p1/clips/c1",
    "/jobs/j1",
    "/",
  ]);
  assertEquals(places.map(addressOf).map(placeOf), places);
});

Deno.test("placeOf takes any address", () => {
  assertEquals(placeOf("/projects/%E0%A4%A/clips"), { projectId: "%E0%A4%A", screen: "clips" });
  assertEquals(placeOf("/status/of/what"), { projectId: undefined, screen: "status/of/what" });
  assertEquals(placeOf("/clips/c1/d2"), { projectId: undefined, screen: "clips/c1/d2" });
  assertEquals(placeOf("//"), { projectId: undefined, screen: undefined });
});
