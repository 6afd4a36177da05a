import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert/mod.js";
import { HELP, readOptions } from "./options.ts";

function read(...args: string[]) {
  const options = readOptions(args);
  if (options === "help") throw new Error("help was not asked for");
  return options;
}

Deno.test("readOptions counts frames at the exact rate, to the nearest", () => {
  const frames = (seconds: string, fps: string) => read("--seconds", seconds, "--fps", fps).frames;
  assertEquals(frames("6", "24"), 144);
  assertEquals(frames("6", "24000/1001"), 144);
  assertEquals(frames("6", "25"), 150);
  assertEquals(frames("6", "30"), 180);
  assertEquals(frames("2.5", "24"), 60);
  assertEquals(frames("2.5", "25"), 63);
  assertEquals(frames("15", "24000/1001"), 360);
});

Deno.test("readOptions takes values after a space and after an equals sign", () => {
  assertEquals(read("--size=640x360", "--json").size, { width: 640, height: 360 });
  assertEquals(read("--size", "640x360").size, { width: 640, height: 360 });
  assertEquals(read().frames, 144);
  assertEquals(readOptions(["--help"]), "help");
});

Deno.test("readOptions names the option that is wrong and the mend", () => {
  const wrong: [string[], string][] = [
    [["--sise", "5x5"], "There is no option --sise"],
    [["seconds", "5"], "There is no option seconds"],
    [["--seconds", "six"], "--seconds six"],
    [["--seconds", "0"], "--seconds 0"],
    [["--fps", "24/0"], "24/0"],
    [["--size", "641x360"], "each side even"],
    [["--size", "32x32"], "64 to 8192"],
    [["--seed", "-1"], "--seed -1"],
    [["--seed", "1.5"], "--seed 1.5"],
    [["--out"], "--out needs a value"],
    [["--url", "http://127.0.0.1:1"], "--url needs --token"],
    [["--token", "x"], "--token needs --url"],
    [["--url", "somewhere", "--token", "x"], "--url somewhere"],
    [["--media-backend", "gpu"], "--media-backend gpu"],
  ];
  for (const [args, words] of wrong) {
    const error = assertThrows(() => readOptions(args), RangeError);
    assertStringIncludes(error.message, words);
  }
});

Deno.test("HELP tells every option that readOptions knows", () => {
  for (
    const name of [
      "portrait",
      "seconds",
      "fps",
      "size",
      "seed",
      "out",
      "data",
      "keep",
      "url",
      "token",
      "json",
    ]
  ) {
    assertStringIncludes(HELP, `--${name}`);
  }
});
