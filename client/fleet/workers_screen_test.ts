import { assertEquals } from "@std/assert/mod.js";
import { newId } from "#server/core/id.ts";
import type { WorkerVitals } from "#server/fleet/contract.ts";
import { openBrowser } from "#server/testing/browser.ts";
import { clientStudio, signInAs } from "#server/testing/client_studio.ts";
import { givenWorker } from "#server/testing/fixtures.ts";
import { until } from "#server/testing/until.ts";

Deno.test("the workers' screen shows no data as such, and what an order affects before it is given", async () => {
  await using world = await clientStudio();
  await using opened = await openBrowser();
  const { db } = world.studio;
  const admin = await world.person({ role: "admin" });
  const worker = await givenWorker(world.studio, { url: "http://gpu-a.lan:8188" });
  await db`update workers set name = 'gpu-a', manager = 'V3.41' where id = ${worker.id}`;
  await db`
    insert into jobs (id, kind_id, lane_id, status_id, order_key, fair_end, cost_ms, input, worker_id, attempt,
                      attempt_id, attempt_started_at, started_at, lease_until)
    select ${newId()}, k.id, k.lane_id, 4, 0, 0, 1000, '{}', ${worker.id}, 1, ${newId()}, now(), now(),
           now() + interval '1 hour' from job_kind k where k.code = 'comfy.generate'`;
  const { page } = await opened.newPage();
  await page.goto(`${world.url}/workers`);
  await signInAs(page, admin);
  const side = page.locator("st-worker-side");
  await side.getByText("no data").first().waitFor();
  const vitals = side.locator("st-vitals").first();
  const measured: Omit<WorkerVitals, "at"> = {
    gpuPercent: 0,
    vramUsedBytes: 18e9,
    vramTotalBytes: 24e9,
    celsius: 71,
    watts: null,
    fanPercent: null,
    clockMhz: null,
    ramUsedBytes: null,
    ramTotalBytes: null,
    queued: 3,
    cpuPercent: null,
    diskUsedBytes: null,
    diskTotalBytes: null,
    receivedBytesPerSecond: null,
    sentBytesPerSecond: null,
  };
  // As each second in the studio: what came before the page listens is not told again.
  const shows = (text: string, more: Partial<WorkerVitals> = {}) =>
    until(text, async () => {
      const now = { at: new Date().toISOString(), ...measured, ...more };
      world.hub.vitals({ subject: worker.id, vitals: now });
      return await vitals.getByText(text).isVisible();
    });
  await shows("71 °C");
  const rows = (await vitals.locator(".row").allInnerTexts()).map((text) =>
    text.replaceAll(/\s+/g, " ").trim()
  );
  assertEquals(rows.slice(0, 5), [
    "GPU load 0 %",
    "GPU memory 18.0 GB of 24.0 GB",
    "Temperature 71 °C",
    "Power no data",
    "Fan no data",
  ]);
  assertEquals(rows.length, 8);
  // Its address is another machine's, of which the studio knows no more until an agent tells.
  await vitals.getByText("deno task agent").waitFor();
  await shows("300 GB of 1.00 TB", { cpuPercent: 12, diskUsedBytes: 3e11, diskTotalBytes: 1e12 });
  assertEquals(await vitals.locator(".row").count(), 12);
  assertEquals(await vitals.getByText("deno task agent").count(), 0);
  // An agent that is gone leaves what it told, and is asked for again.
  await shows("deno task agent");
  assertEquals(await vitals.locator(".row").count(), 12);

  await side.getByRole("button", { name: "Start anew" }).click();
  const impact = side.getByRole("alert");
  await impact.getByText("1 job that runs there waits again; no attempt of it is spent").waitFor();
  await impact.getByText("By its ComfyUI-Manager.").waitFor();
  const count = async () => (await db`select 1 from worker_orders`).length;
  assertEquals(await count(), 0);
  await impact.getByRole("button", { name: "Start it anew" }).click();
  await side.getByText(/^Start anew, .*(just now|ago)/).waitFor();
  assertEquals(await count(), 1);
});

Deno.test("an admin gives a worker a restart command on its screen, reads a refusal beside it, and takes it back", async () => {
  await using world = await clientStudio();
  await using opened = await openBrowser();
  const { db } = world.studio;
  const admin = await world.person({ role: "admin" });
  const worker = await givenWorker(world.studio);
  const { page } = await opened.newPage();
  await page.goto(`${world.url}/workers`);
  await signInAs(page, admin);
  const side = page.locator("st-worker-side");
  await side.getByRole("tab", { name: "Care" }).click();
  const section = side.getByRole("region", { name: "Restart command" });
  const args = section.getByRole("textbox", { name: "Restart command" });
  await args.fill("systemctl\nrestart\n\n");
  await section.getByRole("textbox", { name: "Variables" }).fill("no variable");
  const save = section.getByRole("button", { name: "Save the restart command" });
  await save.click();
  await section.getByText("“no variable” is no NAME=value").waitFor();
  await section.getByRole("textbox", { name: "Variables" }).fill("LANG=C");
  await save.click();
  await page.getByText(/^The studio can start .* anew$/).waitFor();
  const kept = await db<{ kind: string; args: string[]; environment: string[] }[]>`
    select k.code as kind, c.args, c.environment
      from worker_commands c join worker_command_kind k on k.id = c.kind_id where c.worker_id = ${worker.id}`;
  assertEquals([...kept], [{ kind: "restart", args: ["systemctl", "restart"], environment: ["LANG=C"] }]);
  await section.getByText(/^On /).waitFor();
  await section.getByRole("button", { name: "Forget the restart command" }).click();
  await page.getByText(/^The studio no longer has a restart command/).waitFor();
  assertEquals((await db`select 1 from worker_commands`).length, 0);
});
