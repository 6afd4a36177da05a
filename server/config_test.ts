import { assertEquals, assertThrows } from "@std/assert/mod.js";
import { AppError } from "#server/core/errors.ts";
import { isLoopback, readConfig } from "./config.ts";

const noEnvironment = () => undefined;

Deno.test("readConfig() takes options over environment over defaults", () => {
  const env = (name: string) => ({ SEEDLOOP_PORT: "8000", SEEDLOOP_HOST: "127.0.0.2" })[name];
  const config = readConfig(["--port", "9000", "--data=/srv/studio"], env);
  assertEquals([config.port, config.host, config.data, config.open], [
    9000,
    "127.0.0.2",
    "/srv/studio",
    false,
  ]);
});

Deno.test("readConfig() names every wrong and unknown option at once", () => {
  const error = assertThrows(
    () => readConfig(["--port", "seventy", "--nonsense", "--media-backend", "cuda"], noEnvironment),
    AppError,
  ) as AppError;
  for (const word of ["--nonsense", "--port", "SEEDLOOP_PORT", "--media-backend"]) {
    assertEquals(error.message.includes(word), true, `${word} in: ${error.message}`);
  }
});

Deno.test("readConfig() refuses an option without its value and a port that is none", () => {
  assertThrows(() => readConfig(["--data"], noEnvironment), AppError, "--data needs a value");
  assertThrows(() => readConfig(["--port", "70000"], noEnvironment), AppError, "--port");
  assertThrows(() => readConfig(["--host", "a b"], noEnvironment), AppError, "--host");
});

Deno.test("isLoopback() knows this machine's own addresses", () => {
  assertEquals(["127.0.0.1", "127.9.9.9", "::1", "localhost"].map(isLoopback), [true, true, true, true]);
  assertEquals(["0.0.0.0", "::", "192.168.1.4", "127.evil.example"].map(isLoopback), [
    false,
    false,
    false,
    false,
  ]);
});
