import { CHECKS, runCheck } from "./conformance.ts";
import { skipReason } from "./check.ts";
import { startEngine } from "./engine_process.ts";
import { Peer } from "./peer.ts";

Deno.test("the CPU engine does what ComfyUI does", async (t) => {
  await using engine = await startEngine();
  await runAll(t, engine.url);
});

const comfyUrl = Deno.env.get("COMFYUI_URL");

Deno.test({
  name: comfyUrl === undefined
    ? "a ComfyUI does what ComfyUI does: skipped, COMFYUI_URL is not set"
    : `ComfyUI at ${comfyUrl}`,
  ignore: comfyUrl === undefined,
  fn: (t) => runAll(t, comfyUrl ?? ""),
});

async function runAll(t: Deno.TestContext, url: string): Promise<void> {
  const peer = await Peer.at(url);
  for (const check of CHECKS) {
    const skip = skipReason(check, peer.facts);
    await t.step({
      name: skip === undefined ? check.name : `${check.name}: skipped, ${skip}`,
      ignore: skip !== undefined,
      fn: async () => {
        const { outcome, because } = await runCheck(check, peer);
        if (outcome === "failed") throw new Error(because);
      },
    });
  }
}
