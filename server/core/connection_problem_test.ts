import { assert, assertEquals } from "@std/assert/mod.js";
import { connectionProblem } from "./connection_problem.ts";

Deno.test("connectionProblem() tells of a closed port without the layers below", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const problem = await fetch(`http://127.0.0.1:${port}/`).then(() => undefined, (error) => error);
  const text = connectionProblem(problem);
  assert(text.startsWith("nothing listens there"), text);
  assert(!text.includes("127.0.0.1") && !text.includes("os error"), text);
});

Deno.test("connectionProblem() tells of HTTP behind https://", async () => {
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response("Hello"),
  );
  const problem = await fetch(`https://127.0.0.1:${server.addr.port}/`).then(
    () => undefined,
    (error) => error,
  );
  assertEquals(connectionProblem(problem), "it does not speak HTTPS: use http://");
});

Deno.test("connectionProblem() keeps the words of what it does not know, innermost first", () => {
  assertEquals(connectionProblem(new Error("outer", { cause: new Error("odd") })), "odd");
  assertEquals(connectionProblem("just text"), "just text");
});
