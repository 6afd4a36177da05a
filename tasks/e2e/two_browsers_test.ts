import { assert, assertEquals } from "@std/assert/mod.js";
import { changeCharacter, characterChanged } from "#server/characters/contract.ts";
import { changeClip } from "#server/clips/contract.ts";
import { openBrowser, type Page } from "#server/testing/browser.ts";
import { type ClientStudio, clientStudio, signInAs } from "#server/testing/client_studio.ts";
import { givenClip } from "#server/testing/clip_fixtures.ts";
import { cutProxy } from "#server/testing/cut_proxy.ts";
import {
  givenCharacter,
  givenHero,
  givenMember,
  givenProject,
  givenScene,
  givenSeed,
  givenWorkflowVersion,
} from "#server/testing/fixtures.ts";
import { givenWorkingImage, Workshop } from "#server/testing/workshop.ts";
import { until } from "#server/testing/until.ts";

/** What is promised is a second; two browsers, a studio and a database share this machine's cores with others. */
const SOON_MS = 5_000;
/** From the mended line on: the wait before the next try, then the reading of what was missed. */
const BACK_MS = 20_000;

type Typed<T> = T extends { id: infer I } ? I : never;

/** How long it took until `seen`, in milliseconds. */
async function timed(label: string, seen: Promise<unknown>): Promise<void> {
  const since = performance.now();
  await seen;
  console.log(`${label}: ${Math.round(performance.now() - since)} ms`);
}

async function fill(world: ClientStudio, members: readonly { readonly id: string }[]) {
  const { studio } = world;
  const project = await givenProject(studio);
  for (const user of members) await givenMember(studio, project, user, "creator");
  await givenWorkflowVersion(studio);
  const character = await givenCharacter(studio, { projectId: project.id });
  await givenSeed(studio, { character });
  await givenHero(studio, { character });
  await givenSeed(studio, { character, kind: "foundation", status: "candidate" });
  const scene = await givenScene(studio, { projectId: project.id });
  const clip = await givenClip(studio, { scene });
  await givenWorkingImage(studio, clip.hero);
  await givenWorkingImage(studio, clip.portrait);
  return { project, character, clip };
}

/** Marks of work that goes on: what must not stay when it has ended. */
async function spinners(page: Page): Promise<number> {
  return await page.locator('st-skeleton:visible, [aria-busy="true"]:visible, .silent:visible').count();
}

Deno.test("two browsers on one project see each other's changes, also after both lost the connection", async (test) => {
  await using world = await clientStudio();
  await using ours = cutProxy(world.url);
  await using theirs = cutProxy(world.url);
  await using opened = await openBrowser();
  const [ada, bob] = [await world.person({ login: "ada" }), await world.person({ login: "bob" })];
  const { project, character, clip } = await fill(world, [ada, bob]);
  const api = await world.studio.asUser(ada);
  const base = `/projects/${project.id}`;
  const enter = async (url: string, user: typeof ada) => {
    const { page } = await opened.newPage({ viewport: { width: 1280, height: 720 }, locale: "en" });
    page.setDefaultTimeout(90_000);
    await page.goto(`${url}${base}/characters/${character.id}`);
    await signInAs(page, user);
    await page.getByText("live", { exact: true }).waitFor();
    await page.waitForLoadState("networkidle");
    return page;
  };
  const [here, there] = [await enter(ours.url, ada), await enter(theirs.url, bob)];
  const both = (path: string) =>
    Promise.all([here.goto(`${ours.url}${base}${path}`), there.goto(`${theirs.url}${base}${path}`)]);
  const rename = (name: string) =>
    api.call(changeCharacter, {
      params: { characterId: character.id as Typed<{ id: never }> },
      body: { name },
    });

  await test.step("a new character", async () => {
    await here.getByRole("button", { name: "New character" }).first().click();
    await here.locator("st-character-form").getByRole("textbox", { name: "Name" }).fill("Marguerite");
    const answered = here.waitForResponse((answer) => answer.request().method() === "POST");
    await here.keyboard.press("Enter");
    await answered;
    await timed("a new character", there.getByText("Marguerite").first().waitFor({ timeout: SOON_MS }));
  });

  await test.step("another name", async () => {
    await here.keyboard.press("F2");
    await here.locator("st-character-form").getByRole("textbox", { name: "Name" }).fill("Eleonore");
    const answered = here.waitForResponse((answer) => answer.request().method() === "PATCH");
    await here.keyboard.press("Enter");
    await answered;
    await timed("another name", there.getByText("Eleonore").first().waitFor({ timeout: SOON_MS }));
    await until("the old name is gone", async () => await there.getByText("Marguerite").count() === 0);
  });

  await test.step("a decision of culling", async () => {
    await both(`/characters/${character.id}`);
    for (const page of [here, there]) {
      await page.locator("st-dock st-panel-host").first().waitFor();
      await page.keyboard.press("Control+k");
      await page.locator("st-palette").getByRole("combobox").fill("go to variations");
      await page.keyboard.press("Enter");
      await page.locator("st-seed-tile").nth(1).waitFor();
    }
    const rejected = () =>
      there.locator("st-seed-tile").evaluateAll((tiles) =>
        tiles.filter((tile) => (tile as unknown as { seed: { status: string } }).seed.status === "rejected")
          .length
      );
    const before = await rejected();
    await here.getByRole("grid", { name: "Variations" }).focus();
    await here.keyboard.press("End");
    const answered = here.waitForResponse((answer) => answer.request().method() !== "GET");
    await here.keyboard.press("x");
    await answered;
    const isRejected = until("one more rejected", async () => await rejected() > before, {
      patienceMs: SOON_MS,
    });
    await timed("a decision of culling", isRejected);
  });

  await test.step("a clip's settings", async () => {
    await both(`/clips/${clip.id}`);
    const prompt = there.locator("st-clip-settings-panel").getByLabel("Prompt", { exact: true });
    await prompt.waitFor();
    await api.call(changeClip, {
      params: { clipId: clip.id as Typed<{ id: never }> },
      body: { prompt: "she turns her head" },
    });
    await timed(
      "a clip's settings",
      there.waitForFunction(
        () => {
          const all = (root: ParentNode): Element[] =>
            [...root.querySelectorAll("*")].flatMap((
              one,
            ) => [one, ...(one.shadowRoot ? all(one.shadowRoot) : [])]);
          return all(document).some((one) =>
            one instanceof HTMLTextAreaElement && one.value === "she turns her head"
          );
        },
        undefined,
        { polling: 30, timeout: SOON_MS },
      ),
    );
  });

  await test.step("who else is here", async () => {
    const bob = (page: Page) =>
      page.getByRole("list", { name: "Also in this project" }).getByRole("listitem");
    await timed("who has the same clip open", bob(here).filter({ hasText: "has this open, too" }).waitFor());
    await until("one other person", async () => await bob(here).count() === 1);
    await there.getByRole("link", { name: "Characters" }).first().click();
    await timed("who went elsewhere", bob(here).filter({ hasText: "is in this project" }).waitFor());
    await there.goto(`${theirs.url}${base}/clips/${clip.id}`);
    await bob(here).filter({ hasText: "has this open, too" }).waitFor();
    // Whom nobody hears of is not shown: neither to who was cut off nor to the others.
    theirs.cut();
    await bob(here).first().waitFor({ state: "detached" });
    theirs.mend();
    await bob(here).filter({ hasText: "has this open, too" }).waitFor({ timeout: BACK_MS });
    await there.locator(".silent").first().waitFor({ state: "hidden" });
  });

  await test.step("what happened while both were cut off, and nothing turns for ever", async () => {
    const generating = [here, there].map((page) => page.getByText(/generating/i).first());
    const answer = await api.post(`/api/clips/${clip.id}/generate`);
    assert(answer.status < 300, JSON.stringify(answer.body));
    for (const seen of generating) await seen.waitFor();
    ours.cut();
    theirs.cut();
    for (const page of [here, there]) await page.locator(".silent").first().waitFor();
    await new Workshop(world.studio).work();
    await rename("Renamed meanwhile");
    ours.mend();
    theirs.mend();
    const since = performance.now();
    await Promise.all([here, there].map(async (page, at) => {
      await page.getByRole("button", { name: /Finalize/ }).first().waitFor({ timeout: BACK_MS });
      await generating[at]?.waitFor({ state: "hidden" });
      await page.locator(".silent").first().waitFor({ state: "hidden" });
    }));
    console.log(`after the loss: ${Math.round(performance.now() - since)} ms`);
    for (const page of [here, there]) {
      assertEquals(await spinners(page), 0);
      await page.getByRole("link", { name: "Characters" }).first().click();
      await page.getByText("Renamed meanwhile").first().waitFor({ timeout: SOON_MS });
    }
  });

  await test.step("one cut off and back again is told each change once, in time", async () => {
    ours.cut();
    await here.locator(".silent").first().waitFor();
    await rename("While one was away");
    await timed("to who stayed", there.getByText("While one was away").first().waitFor({ timeout: SOON_MS }));
    ours.mend();
    await timed(
      "to who came back",
      here.getByText("While one was away").first().waitFor({ timeout: BACK_MS }),
    );
    await here.locator(".silent").first().waitFor({ state: "hidden" });
    await rename(`Again, ${characterChanged.code}`);
    for (const page of [here, there]) {
      await timed("again", page.getByText(/^Again, /).first().waitFor({ timeout: SOON_MS }));
    }
  });
});
