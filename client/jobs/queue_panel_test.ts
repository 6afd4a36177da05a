import { assert, assertEquals } from "@std/assert/mod.js";
import { newId } from "#server/core/id.ts";
import { findBarriers } from "#server/testing/accessibility.ts";
import { openBrowser, type Page } from "#server/testing/browser.ts";
import { type ClientStudio, clientStudio, signInAs } from "#server/testing/client_studio.ts";
import { givenMember, givenProject, lookup } from "#server/testing/fixtures.ts";
import type { TestUser } from "#server/testing/test_studio.ts";
import { until } from "#server/testing/until.ts";

const WAITING = 260;

/** A queue of one project: every tenth job is on the cpu lane, and 250 have failed long ago. */
async function fill({ studio }: ClientStudio, owner: TestUser, others: readonly TestUser[]) {
  const { db } = studio;
  const project = await givenProject(studio, { member: owner });
  for (const user of others) await givenMember(studio, project, user, "creator");
  const add = (count: number, kind: string, status: "queued" | "failed", from: number) =>
    db`
      insert into jobs (id, kind_id, lane_id, status_id, project_id, user_id, order_key, fair_end, cost_ms, input,
                        finished_at, failure_class_id, error)
      select x.id::uuid, k.id, k.lane_id, ${lookup(db, "job_status", status)}, ${project.id}, ${owner.id},
             x.n + ${from}, x.n, 60000, '{}', case when ${status === "failed"} then now() end,
             case when ${status === "failed"} then ${lookup(db, "failure_class", "internal")} end,
             case when ${status === "failed"} then 'It broke' end
        from unnest(${Array.from({ length: count }, () => newId())}::text[]) with ordinality as x(id, n)
        join job_kind k on k.code = ${kind}`;
  await add(WAITING - 50, "comfy.generate", "queued", 0);
  await add(50, "media.inspect", "queued", WAITING);
  await add(250, "comfy.generate", "failed", 0);
}

const heldIn = async ({ studio: { db } }: ClientStudio) => {
  const [row] = await db<{ n: number }[]>`select count(*)::integer as n from jobs where status_id = 3`;
  return row?.n ?? 0;
};

const openIn = async ({ studio: { db } }: ClientStudio) => {
  const [row] = await db<{ n: number }[]>`select count(*)::integer as n from jobs where status_id < 5`;
  return row?.n ?? 0;
};

const foot = (page: Page) => page.locator("st-queue-panel .foot [role=status]");
const grid = (page: Page) => page.locator("st-queue-panel st-table").getByRole("grid");

/** Ids in their order, as the table has them. */
const order = (page: Page) =>
  page.locator("st-queue-panel st-table").evaluate((table) =>
    (table as unknown as { rows: { id: string }[] }).rows.slice(0, 12).map(({ id }) => id)
  );

Deno.test("the queue panel works on hundreds of jobs at once, and on none that it does not show", async (test) => {
  await using world = await clientStudio();
  await using opened = await openBrowser();
  const ada = await world.person({ login: "ada", role: "admin" });
  const bob = await world.person({ login: "bob", role: "creator" });
  await fill(world, ada, [bob]);
  const enter = async (user: TestUser) => {
    const { page } = await opened.newPage({ viewport: { width: 1280, height: 720 }, locale: "en" });
    await page.goto(`${world.url}/queue`);
    await signInAs(page, user);
    await page.locator("st-queue-panel st-table [role=row]").nth(3).waitFor();
    await page.getByText("live", { exact: true }).waitFor();
    return page;
  };
  const [here, there] = [await enter(ada), await enter(bob)];

  await test.step("what is held by one key is a handful of requests, and one key takes it back", async () => {
    const posts: string[] = [];
    here.on("request", (request) => request.method() === "POST" && posts.push(request.url()));
    await grid(here).focus();
    await here.keyboard.press("Control+a");
    await foot(here).getByText(`${WAITING} selected`).waitFor();
    await here.keyboard.press("h");
    await here.getByText(`${WAITING} jobs are held`, { exact: true }).waitFor();
    assertEquals(await heldIn(world), WAITING);
    assert(posts.filter((url) => url.includes("/api/jobs/")).length <= 5, posts.join("\n"));
    await here.keyboard.press("Control+z");
    await until("all are released", async () => await heldIn(world) === 0);
    await here.locator("st-queue-panel st-job-line").filter({ hasText: "Held" }).first().waitFor({
      state: "detached",
    });
  });

  await test.step("what a filter hides is not selected any more", async () => {
    const lane = here.locator("st-queue-panel").getByLabel("Lane", { exact: true });
    await lane.selectOption("cpu");
    await foot(here).getByText("50 selected").waitFor();
    await grid(here).focus();
    await here.keyboard.press("h");
    await here.getByText("50 jobs are held", { exact: true }).waitFor();
    assertEquals(await heldIn(world), 50);
    await lane.selectOption("");
  });

  await test.step("where not all could be read it says so", async () => {
    await here.locator("st-queue-panel").getByLabel("Show", { exact: true }).selectOption("failed");
    await foot(here).getByText("200 of 250").waitFor();
    await here.locator("st-queue-panel").getByLabel("Show", { exact: true }).selectOption("open");
  });

  await test.step("another order is seen by those who may not give one", async () => {
    const before = await order(here);
    await grid(here).focus();
    await here.keyboard.press("Home");
    for (let row = 0; row < 7; row++) await here.keyboard.press("ArrowDown");
    await here.keyboard.press("Alt+Home");
    const [moved] = before.slice(7);
    await until("it comes first here", async () => (await order(here))[0] === moved);
    await until("it comes first there", async () => (await order(there))[0] === moved);
  });

  await test.step("what is selected is dragged together, and one key puts it back", async () => {
    const before = await order(here);
    const row = (at: number) => here.locator(`st-queue-panel st-table [data-index="${at}"]`);
    await row(4).click();
    for (const at of [6, 7]) await row(at).click({ modifiers: ["Control"] });
    await foot(here).getByText("3 selected").waitFor();
    await row(6).dragTo(row(1));
    const [first, ...rest] = before;
    const block = [4, 6, 7].map((at) => before[at]);
    const wanted = [first, ...block, ...rest.filter((id) => !block.includes(id))];
    await until("they stand together", async () => (await order(here)).join() === wanted.join());
    await until("there too", async () => (await order(there)).join() === wanted.join());
    await here.keyboard.press("Alt+ArrowDown");
    await until("a place on", async () => (await order(here))[1] === before[1]);
    await here.keyboard.press("Control+z");
    await here.keyboard.press("Control+z");
    await until("they stand as before", async () => (await order(there)).join() === before.join());
    await row(0).click();
    await here.keyboard.press("Control+a");
    await row(5).click({ modifiers: ["Control"] });
    await foot(here).getByText(`${WAITING - 1} selected`).waitFor();
    await row(8).dragTo(row(2));
    await here.getByText("Select at most 100 jobs to move them together").first().waitFor();
    assertEquals(await order(here), before);
  });

  await test.step("all that failed waits again, also what is not shown", async () => {
    await here.locator("st-queue-panel").getByRole("button", { name: "Retry all that failed" }).click();
    await here.getByText("Queued 250 jobs again", { exact: true }).waitFor();
    assertEquals(await openIn(world), WAITING + 250);
  });

  await test.step("words that are cut off are read whole under the pointer", async () => {
    const name = "The Long Night of the Lighthouse Keepers, Part Two: What the Tide Left Behind";
    await world.studio.db`update projects set name = ${name}`;
    await here.setViewportSize({ width: 640, height: 720 });
    await here.reload();
    const cut = here.locator("st-top-bar .cut").filter({ hasText: name });
    await cut.hover();
    await until("its title", async () => await cut.getAttribute("title") === name);
    await here.setViewportSize({ width: 1280, height: 720 });
    await here.locator("st-queue-panel st-table [role=row]").nth(3).waitFor();
  });

  await test.step("at 400 % nothing lies beside the view, and areas stand one under the other", async () => {
    await here.setViewportSize({ width: 320, height: 640 });
    await here.locator("st-queue-panel st-table [role=row]").nth(3).waitFor();
    assertEquals(await here.evaluate(() => document.documentElement.scrollWidth), 320);
    const edges = await here.locator("st-area, st-top-bar button:not(.skip)").evaluateAll((parts) =>
      parts.map((part) => part.getBoundingClientRect()).filter(({ width }) => width > 0)
        .map(({ left, right }) => [left, right])
    );
    assert(edges.every(([left = -1, right = 999]) => left >= 0 && right <= 320), JSON.stringify(edges));
    assertEquals(await findBarriers(here), []);
    await here.setViewportSize({ width: 1280, height: 720 });
  });

  await test.step("its bars are one line, in German too", async () => {
    await here.evaluate(() => localStorage.setItem("seedloop.language", "de"));
    await here.reload();
    await here.locator("st-queue-panel st-table [role=row]").nth(3).click();
    await foot(here).waitFor();
    for (const bar of [".bar", ".foot"]) {
      const tops = await here.locator(`st-queue-panel ${bar} > :not(.gap, [hidden])`).evaluateAll((parts) =>
        parts.map((part) => {
          const { top, height } = part.getBoundingClientRect();
          return Math.round(top + height / 2);
        })
      );
      assert(Math.max(...tops) - Math.min(...tops) < 8, `${bar}: ${tops.join(" ")}`);
    }
  });
});
