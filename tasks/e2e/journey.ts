import { assert, assertEquals } from "@std/assert/mod.js";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { findBarriers } from "#server/testing/accessibility.ts";
import { openBrowser, type Page } from "#server/testing/browser.ts";
import { buildClient } from "#tasks/build_client.ts";
import { defaultPortrait } from "#tasks/demo/portrait.ts";
import { freePort, StudioProcess } from "./studio_process.ts";

export interface JourneyOptions {
  readonly size: Journey["size"];
  readonly look: (name: string, page: Page) => Promise<void>;
}

/** Starts a studio of its own on an empty folder, opens a browser and lets `go` walk; both are gone afterwards. */
export async function withJourney(
  { size, look }: JourneyOptions,
  go: (journey: Journey, said: readonly string[]) => Promise<void>,
): Promise<void> {
  await buildClient();
  const folder = await Deno.makeTempDir({ prefix: "seedloop_journey_" });
  // As root the database runs as another user, who has to get in.
  await Deno.chmod(folder, 0o755);
  const studio = new StudioProcess({ data: join(folder, "data"), port: freePort() });
  try {
    assertEquals(await studio.isUp(), true, studio.said);
    await using opened = await openBrowser();
    const { page, said } = await opened.newPage({ viewport: { width: 1600, height: 1000 }, locale: "en" });
    page.setDefaultTimeout(90_000);
    await go({
      page,
      firstAdminUrl: studio.firstAdminUrl ?? "",
      portrait: await defaultPortrait(),
      size,
      look: (name) => look(name, page),
    }, said);
  } finally {
    await studio.stop();
    await Deno.remove(folder, { recursive: true });
  }
}

/** Who walks, with what, and who looks on. */
export interface Journey {
  readonly page: Page;
  /** The one-time link that the studio printed. */
  readonly firstAdminUrl: string;
  readonly portrait: Uint8Array;
  readonly size: { readonly width: number; readonly height: number };
  /** Called at what is worth a picture: "first_run", "portrait", "sheet", "compare", "plan", "live", "cut", "final". */
  look(name: string): Promise<void>;
}

/** A part of the way, to be walked after those before it. */
export interface Stage {
  readonly name: string;
  walk(): Promise<void>;
}

export const PICTURES = 3;
export const FRAMES = 144;
const PHRASE = "a phrase that is long enough";
/** What two busy cores may need for pictures, a clip, a cut. */
const RENDER_MS = 180_000;

/**
 * The main path of SPEC §1 as a newcomer goes it, from the printed link to a clip that is final: by keys wherever a
 * command has one, else by its button with Enter.
 */
export function stagesOf(journey: Journey): readonly Stage[] {
  return [
    { name: "the printed link makes the admin, who is shown the first steps", walk: () => arrive(journey) },
    { name: "a project of one's own", walk: () => makeProject(journey) },
    { name: "a character, whose portrait is given by its key", walk: () => givePortrait(journey) },
    { name: "three variations fill the sheet while one watches", walk: () => vary(journey) },
    { name: "two are kept and compared, and H makes one the hero", walk: () => chooseHero(journey) },
    { name: "the hero leads on to a clip of six seconds", walk: () => makeClip(journey) },
    { name: "the plan is read, then G generates, with live pictures", walk: () => generate(journey) },
    { name: "the cut is looked through by keys, to its last frame", walk: () => review(journey) },
    { name: "Enter makes it final", walk: () => finalize(journey) },
  ];
}

/** What the studio answers to the page's own user. */
// deno-lint-ignore no-explicit-any -- whoever asks asserts what is read
async function ask(page: Page, path: string): Promise<any> {
  return await page.evaluate(async (path) => await (await fetch(`/api${path}`)).json(), path);
}

/** Waits until the keyboard is in an element of this tag: nobody has to click into it first. */
async function hasKeyboard(page: Page, tag: string): Promise<void> {
  await page.waitForFunction((tag) => {
    for (let one = document.activeElement; one; one = one.shadowRoot?.activeElement ?? null) {
      if (one.closest(tag)) return true;
    }
    return false;
  }, tag);
}

async function arrive({ page, firstAdminUrl, look }: Journey): Promise<void> {
  await page.goto(firstAdminUrl);
  await page.getByRole("heading", { name: "Welcome to Seedloop" }).waitFor();
  for (const text of ["ada", "Ada Lovelace", PHRASE]) {
    await page.keyboard.type(text);
    await page.keyboard.press("Tab");
  }
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/first-run$/);
  await page.getByText("Files are kept here, and can be written.").waitFor();
  await page.getByText("Only the CPU engine is here.", { exact: false }).waitFor({ timeout: RENDER_MS });
  assertEquals(await findBarriers(page), []);
  await look("first_run");
}

async function makeProject({ page, size }: Journey): Promise<void> {
  await page.keyboard.press("n");
  const form = page.locator("st-project-form");
  await form.getByLabel("Name").fill("Aurora");
  await form.getByLabel("Frame size").selectOption("");
  await form.getByLabel("Width").fill(String(size.width));
  await form.getByLabel("Height").fill(String(size.height));
  await page.keyboard.press("Enter");
  await page.getByText("No character yet").first().waitFor();
}

async function givePortrait({ page, portrait, look }: Journey): Promise<void> {
  // Long before the key: a picker that opens while the browser is still being told to hand it over is never heard of.
  const choosing = page.waitForEvent("filechooser", { timeout: RENDER_MS });
  await page.keyboard.press("n");
  await page.locator("st-character-form").getByLabel("Name").fill("Jane");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Jane" }).waitFor();
  await hasKeyboard(page, "st-character-panel");
  // Its key does it from when it is there.
  const slot = page.locator("st-seed-slot[kind=portrait]");
  await slot.locator("st-action").first().getByRole("button").waitFor();
  await page.keyboard.press("a");
  const chooser = await choosing;
  await chooser.setFiles({
    name: "jane.png",
    mimeType: "image/png",
    buffer: Buffer.from(portrait),
  });
  await slot.getByText("ready", { exact: true }).waitFor({ timeout: RENDER_MS });
  await look("portrait");
}

async function vary({ page, look }: Journey): Promise<void> {
  await page.getByRole("button", { name: "Variations …" }).press("Enter");
  const count = page.getByRole("slider", { name: "Pictures" });
  await count.focus();
  for (let now = Number(await count.inputValue()); now > PICTURES; now--) {
    await page.keyboard.press("ArrowLeft");
  }
  await page.keyboard.press("Control+Enter");
  await page.locator("st-seed-tile").nth(PICTURES - 1).waitFor();
  await hasKeyboard(page, "st-grid");
  await page.getByText(new RegExp(`^${PICTURES} of ${PICTURES} ready`)).waitFor({ timeout: RENDER_MS });
  await look("sheet");
}

async function chooseHero({ page, look }: Journey): Promise<void> {
  for (const key of ["Home", "5", "p", "x", "p"]) await page.keyboard.press(key);
  await page.keyboard.press("c");
  const cells = page.getByRole("listbox", { name: "Comparison" }).getByRole("option");
  await cells.nth(1).waitFor();
  assertEquals(await cells.count(), 2);
  await look("compare");
  await page.keyboard.press("h");
  await page.getByText(/chosen and approved/).first().waitFor();
  await page.keyboard.press("Escape");
  await hasKeyboard(page, "st-grid");
}

async function makeClip({ page }: Journey): Promise<void> {
  await page.getByRole("button", { name: "Make a clip" }).waitFor();
  await page.keyboard.press("m");
  const form = page.locator("st-scene-form");
  await form.getByLabel("Length").fill("6");
  await form.getByText(`${FRAMES} frames at the project's rate`).waitFor();
  await page.keyboard.press("Enter");
  await page.getByRole("treeitem", { name: "Clip 010" }).waitFor();
  await hasKeyboard(page, "st-clip-panel");
}

async function generate({ page, look }: Journey): Promise<void> {
  await page.getByRole("button", { name: new RegExp(`^Plan ${FRAMES} frames`) }).waitFor();
  await page.getByText(/\d+ frames to generate at 24 fps/).waitFor();
  assertEquals(await findBarriers(page), []);
  await look("plan");
  await page.keyboard.press("g");
  await page.getByRole("button", { name: "Pause" }).first().waitFor();
  await page.getByAltText("Live preview").waitFor({ timeout: RENDER_MS });
  await look("live");
  await page.getByRole("button", { name: "Finalize cut 1" }).waitFor({ timeout: RENDER_MS });
}

async function review({ page, look }: Journey): Promise<void> {
  const frame = page.getByLabel("Frame: a number");
  const at = async (wanted: number) =>
    void await page.waitForFunction(
      ([field, wanted]) => (field as HTMLInputElement).value === wanted,
      [await frame.elementHandle(), String(wanted)] as const,
    );
  await page.keyboard.press("Home");
  await at(0);
  await page.keyboard.press("Shift+ArrowRight");
  await at(24);
  await page.keyboard.press("End");
  await at(FRAMES - 1);
  await page.keyboard.press("Home");
  await page.keyboard.press("Space");
  await page.waitForFunction(
    (field) => Number((field as HTMLInputElement).value) > 6,
    await frame.elementHandle(),
  );
  await page.keyboard.press("Space");
  assertEquals(await findBarriers(page), []);
  await look("cut");
}

async function finalize({ page, look }: Journey): Promise<void> {
  await page.keyboard.press("Enter");
  await page.getByText("Cut 1 of Clip 010 is final").waitFor();
  await page.getByRole("button", { name: "Undo final" }).waitFor();
  const clip = await ask(page, `/clips/${page.url().split("/").at(-1)}`);
  assertEquals(clip.status, "final");
  const cut = clip.cuts.at(-1);
  assertEquals([cut.status, cut.frames, cut.rate], ["final", FRAMES, { num: 24, den: 1 }]);
  assert(clip.segments.length > 1, "a clip of six seconds is a loop of several segments");
  await look("final");
}
