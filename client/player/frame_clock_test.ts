import { assertEquals } from "@std/assert/mod.js";
import { centreOf, frameDuring, frameStartingAt, parseFrame, shuttle } from "./frame_clock.ts";

const RATES = [[24, 1], [24000, 1001], [30000, 1001], [25, 1], [16, 1], [60000, 1001]].map((
  [num = 1, den = 1],
) => ({
  num,
  den,
}));

Deno.test("centreOf, frameStartingAt and frameDuring agree on every frame at every rate", () => {
  for (const rate of RATES) {
    for (let frame = 0; frame < 20_000; frame += 7) {
      const start = (frame * rate.den) / rate.num;
      // Browsers tell starts in whole microseconds, cut off.
      const told = Math.floor(start * 1e6) / 1e6;
      assertEquals(frameStartingAt(told, rate), frame);
      assertEquals(frameDuring(told, rate), frame);
      assertEquals(frameDuring(centreOf(frame, rate), rate), frame);
    }
  }
});

Deno.test("shuttle doubles along, turns at normal speed and stops", () => {
  const press = (...keys: ("back" | "stop" | "forward")[]) =>
    keys.reduce<number[]>((speeds, key) => [...speeds, shuttle(speeds.at(-1) ?? 0, key)], []);
  assertEquals(press("forward", "forward", "forward", "forward", "forward"), [1, 2, 4, 8, 8]);
  assertEquals(press("forward", "forward", "back", "back", "stop"), [1, 2, -1, -2, 0]);
});

Deno.test("parseFrame reads frames, steps and timecode", () => {
  const rate = { num: 24, den: 1 };
  const read = (text: string) => parseFrame(text, 10, rate);
  assertEquals(["144", "+12", "-5", "1:04", "00:00:06:00", "", "x", "1:2:3:4:5"].map(read), [
    144,
    22,
    5,
    28,
    144,
    undefined,
    undefined,
    undefined,
  ]);
});
