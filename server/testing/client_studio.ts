import { buildClient, CLIENT_DIST } from "#tasks/build_client.ts";
import { type LiveStudio, liveStudio } from "./live_studio.ts";
import { type Page } from "./browser.ts";
import { givenUser, type TestUser } from "./test_studio.ts";

/** The phrase of every user that `person` makes. */
export const PHRASE = "a phrase that is long enough";

/** A studio with its client, for real browsers; no threads, so that nothing happens but what the test does. */
export interface ClientStudio extends LiveStudio {
  /** Somebody who can sign in with PHRASE. */
  person(given?: { readonly login?: string; readonly role?: TestUser["role"] }): Promise<TestUser>;
}

export async function clientStudio(): Promise<ClientStudio> {
  const [world] = await Promise.all([
    liveStudio({ clientFolder: CLIENT_DIST, vitals: VITALS }),
    buildClient(),
  ]);
  const { studio } = world;
  return {
    ...world,
    person: async (given = {}) =>
      await givenUser(studio.db, { ...given, passwordHash: await studio.auth.passwords.hash(PHRASE) }),
  };
}

/** Signs in where the page stands. */
export async function signInAs(page: Page, { login }: TestUser): Promise<void> {
  await page.getByLabel("Name", { exact: true }).fill(login);
  await page.getByLabel("Password", { exact: true }).fill(PHRASE);
  await page.keyboard.press("Enter");
  await page.locator("st-dock st-panel-host").first().waitFor();
}

const VITALS = {
  version: "0.0.0-test",
  startedAt: "2026-01-01T00:00:00.000Z",
  isDatabaseEmbedded: true,
  dataFolder: Deno.cwd(),
  threads: () => [],
  engineUrl: () => undefined,
  mediaBackend: () => undefined,
  socketCount: () => 0,
};
