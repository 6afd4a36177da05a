import { assertEquals } from "@std/assert/mod.js";
import { findBarriers } from "#server/testing/accessibility.ts";
import { openBrowser, type Page } from "#server/testing/browser.ts";
import { clientStudio, PHRASE, signInAs } from "#server/testing/client_studio.ts";
import { givenProject } from "#server/testing/fixtures.ts";

/** Does what the palette has for `text`. */
async function choose(page: Page, text: string): Promise<void> {
  await page.keyboard.press("Control+k");
  const palette = page.locator("st-palette");
  await palette.getByRole("combobox").fill(text);
  await palette.getByRole("option", { name: new RegExp(`^${text}`, "i") }).first().waitFor();
  await page.keyboard.press("Enter");
}

/** The page's newest socket; `closed` resolves when that one is. */
function socketOf(page: Page): { readonly closed: Promise<void> } {
  const of = { closed: Promise.resolve() };
  page.on("websocket", (socket) => {
    of.closed = new Promise((resolve) => socket.on("close", () => resolve()));
  });
  return of;
}

const isLive = (page: Page) => page.getByText("live", { exact: true }).waitFor();

Deno.test("a session lives on while one works, and ends when one leaves", async (test) => {
  await using world = await clientStudio();
  await using opened = await openBrowser();
  const ada = await world.person({ role: "admin" });
  await givenProject(world.studio, { member: ada });
  const { page, said } = await opened.newPage();
  const socket = socketOf(page);
  await page.goto(world.url);
  await signInAs(page, ada);
  await isLive(page);

  await test.step("access that ran out while the machine slept is renewed by what one does next", async () => {
    await page.context().clearCookies({ name: "seedloop_access" });
    assertEquals((await page.context().cookies()).map(({ name }) => name), ["seedloop_refresh"]);
    const refused = page.waitForResponse((response) => response.status() === 401);
    await choose(page, "go to account");
    await page.getByRole("heading", { name: "Sessions", level: 2 }).waitFor();
    await page.getByText("127.0.0.1").first().waitFor();
    await refused;
    const cookies = await page.context().cookies();
    assertEquals(cookies.map(({ name }) => name).sort(), ["seedloop_access", "seedloop_refresh"]);
  });

  await test.step("a new password signs out others, and neither this tab nor the next", async () => {
    const second = await page.context().newPage();
    const other = socketOf(second);
    await second.goto(world.url);
    await isLive(second);
    const ended = Promise.all([socket.closed, other.closed]);
    await choose(page, "change the password");
    await page.getByLabel("Password now").fill(PHRASE);
    await page.getByLabel("New password").fill(`${PHRASE}, still`);
    await page.keyboard.press("Enter");
    await page.getByText("The password is changed").waitFor();
    await ended;
    for (const each of [page, second]) {
      await isLive(each);
      await each.locator("st-dock st-panel-host").first().waitFor();
    }
    await second.close();
  });

  await test.step("no sign-in is shown while one signs out: what is typed into it would be lost", async () => {
    const refused = page.waitForResponse((response) => response.status() === 401);
    await page.route("**/api/auth/sign-out", async (route) => {
      const answer = await route.fetch();
      // The socket tells of the end before the answer is there, and what the page asks for then is refused.
      await Promise.all([socket.closed, refused]);
      await route.fulfill({ response: answer });
    });
    await page.evaluate(() => {
      const root = document.querySelector("st-app")!.shadowRoot!;
      const look = () =>
        root.querySelector("st-sign-in-page") && sessionStorage.setItem("shown", "too early");
      new MutationObserver(look).observe(root, { childList: true });
    });
    await choose(page, "sign out");
    await page.getByLabel("Password", { exact: true }).waitFor();
    assertEquals(await page.evaluate(() => sessionStorage.getItem("shown")), null);
    await page.unroute("**/api/auth/sign-out");
  });
  await test.step("who is suspended is told so, where it happens and when signing in again", async () => {
    const bob = await world.person({ login: "bob", role: "reviewer" });
    await signInAs(page, bob);
    await isLive(page);
    // A text fits what one may do: an admin reads that it is changed here.
    await choose(page, "go to people");
    await page.getByText("an admin changes them").waitFor();
    const admin = await world.studio.as("admin");
    assertEquals((await admin.patch(`/api/users/${bob.id}`, { status: "disabled" })).status, 200);
    await page.getByRole("status").filter({ hasText: "Your account is suspended" }).waitFor();
    assertEquals(await findBarriers(page), []);
    const alert = page.getByRole("alert");
    await page.getByLabel("Name", { exact: true }).fill("bob");
    await page.getByLabel("Password", { exact: true }).fill("not his phrase");
    await page.keyboard.press("Enter");
    await alert.getByText(/do not match an account/).waitFor();
    await page.getByLabel("Password", { exact: true }).fill(PHRASE);
    await page.keyboard.press("Enter");
    await alert.getByText(/Your account is suspended/).waitFor();
    // What the studio refuses is said in the reader's language.
    await page.evaluate(() => localStorage.setItem("seedloop.language", "de"));
    await page.reload();
    await page.getByLabel("Name", { exact: true }).fill("bob");
    await page.getByLabel("Passwort", { exact: true }).fill("not his phrase");
    await page.keyboard.press("Enter");
    await alert.getByText(/passen zu keinem Konto/).waitFor();
  });
  assertEquals(said.filter((line) => !/40[13]/.test(line)), []);
});
