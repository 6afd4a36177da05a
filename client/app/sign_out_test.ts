import { assertEquals } from "@std/assert/mod.js";
import { openBrowser } from "#server/testing/browser.ts";
import { clientStudio, signInAs } from "#server/testing/client_studio.ts";
import { givenProject } from "#server/testing/fixtures.ts";

Deno.test("signOut() leaves nothing of the user in the browser that somebody else uses next", async () => {
  await using world = await clientStudio();
  await using opened = await openBrowser();
  const ada = await world.person();
  await givenProject(world.studio, { member: ada });
  const { page } = await opened.newPage();
  await page.goto(world.url);
  await signInAs(page, ada);
  await page.waitForFunction(() => localStorage.getItem("seedloop.project") !== null);
  await page.evaluate((userId) => {
    return new Promise<void>((resolve) => {
      const request = indexedDB.open("seedloop-uploads");
      request.onupgradeneeded = () => request.result.createObjectStore("uploads");
      request.onsuccess = () => {
        const rows = request.result.transaction("uploads", "readwrite").objectStore("uploads");
        for (const user of [userId, "bob"]) {
          rows.put({ id: user, userId: user, keptAt: Date.now(), file: new File(["x"], "face.png") }, user);
        }
        rows.transaction.oncomplete = () => {
          request.result.close();
          resolve();
        };
      };
    });
  }, ada.id);
  await page.keyboard.press("Control+k");
  await page.locator("st-palette").getByRole("combobox").fill("sign out");
  await page.locator("st-palette").getByRole("option", { name: /^Sign out/ }).first().waitFor();
  await page.keyboard.press("Enter");
  await page.getByLabel("Password", { exact: true }).waitFor();
  await page.waitForFunction(() => localStorage.getItem("seedloop.project") === null);

  const kept = await page.evaluate(async () => {
    const open = (name: string) =>
      new Promise<IDBDatabase>((resolve, reject) => {
        const request = indexedDB.open(name);
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const keys: string[] = [];
    for (const { name = "" } of await indexedDB.databases()) {
      const database = await open(name);
      for (const store of database.objectStoreNames) {
        const request = database.transaction(store).objectStore(store).getAllKeys();
        await new Promise((resolve) => request.onsuccess = resolve);
        keys.push(...request.result.map((key) => `${store}/${key}`));
      }
      database.close();
    }
    return keys;
  });
  assertEquals(kept, ["uploads/bob"]);
  const ofUser = ["seedloop.dock", "seedloop.recent", "seedloop.keys", "seedloop.session_expires"];
  assertEquals(await page.evaluate((keys) => keys.map((key) => localStorage.getItem(key)), ofUser), [
    null,
    null,
    null,
    null,
  ]);
});
