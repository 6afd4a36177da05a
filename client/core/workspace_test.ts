import { assertEquals } from "@std/assert/mod.js";
import type { BrowserContext } from "playwright-core";
import { readDocuments } from "#server/workspace/contract.ts";
import { loadModule, openModulePages } from "#server/testing/module_page.ts";
import type { Page } from "#server/testing/browser.ts";

/** The whole page side in one place: what `module` is there. */
declare const module: typeof import("./workspace.ts") & typeof import("./live.ts");

interface Heard {
  branched: string[];
  refused: string[];
}

/** Opens the page's workspace and, as a studio would, its socket. */
async function openWorkspace(page: Page, userId: string): Promise<void> {
  await page.evaluate(async (userId) => {
    const { workspace, live } = module;
    const heard: Heard = { branched: [], refused: [] };
    Object.assign(globalThis, { heard });
    live.start();
    await workspace.open({
      userId,
      live,
      branched: (name) => heard.branched.push(name),
      refused: (name) => heard.refused.push(name),
    });
  }, userId);
}

const get = (page: Page, name: string, isShared = true) =>
  page.evaluate(({ name, isShared }) => module.workspace.get<unknown>(name, undefined, { isShared }), {
    name,
    isShared,
  });

const set = (page: Page, name: string, value: unknown, isShared = true) =>
  page.evaluate(({ name, value, isShared }) => module.workspace.set(name, value, { isShared }), {
    name,
    value,
    isShared,
  });

async function until(page: Page, name: string, value: unknown, isShared = true): Promise<void> {
  await page.waitForFunction(
    ({ name, value, isShared }) =>
      JSON.stringify(module.workspace.get<unknown>(name, undefined, { isShared })) === JSON.stringify(value),
    { name, value, isShared },
    { polling: 20, timeout: 60_000 },
  );
}

const untilSaved = (page: Page) =>
  page.waitForFunction(() => module.workspace.state === "saved", undefined, { polling: 20, timeout: 60_000 });

/** From here on nothing that this profile saves arrives; undone by what is returned. */
async function cutOff(profile: BrowserContext): Promise<() => Promise<void>> {
  await profile.route("**/api/workspaces/**", (route) => route.abort("connectionreset"));
  return () => profile.unroute("**/api/workspaces/**");
}

/** Where an answer waits on its way. */
function gate() {
  return { reached: Promise.withResolvers<void>(), open: Promise.withResolvers<void>() };
}

/** Until what was set is in the browser's database: a reading waits for the writings before it. */
async function untilKept(page: Page, userId: string): Promise<void> {
  await page.evaluate((name) =>
    new Promise<void>((resolve, reject) => {
      const request = indexedDB.open(name);
      request.onerror = () => reject(request.error);
      request.onsuccess = () => {
        const count = request.result.transaction("rows", "readonly").objectStore("rows").count();
        count.onsuccess = () => {
          request.result.close();
          resolve();
        };
      };
    }), `seedloop-workspace-${userId}`);
}

/** As the system would end it: no event of the page is called. */
async function kill(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const crashed = page.waitForEvent("crash", { timeout: 60_000 });
  // A page that is gone answers nothing.
  session.send("Page.crash").catch(() => {});
  await crashed;
}

Deno.test("WorkspaceStore", async (test) => {
  await using pages = await openModulePages("client/core/workspace.ts", "client/core/live.ts");
  const { world } = pages;
  const odd = { "b": [1, null, "\0 \ud800"], "a": { zoom: 1e-7 } };

  await test.step("shows in another browser what this one kept, to the letter, within two seconds", async () => {
    const artist = await world.studio.as("creator");
    const userId = artist.user?.id ?? "";
    const here = await pages.open(await pages.profile(artist));
    await openWorkspace(here, userId);
    await set(here, "layout", odd, false);
    await set(here, "drafts/note", "half a sen");
    const since = performance.now();
    await untilSaved(here);
    const tookMs = performance.now() - since;
    assertEquals(tookMs < 2_000, true, `it took ${tookMs} ms`);
    const there = await pages.open(await pages.profile(artist));
    await openWorkspace(there, userId);
    assertEquals(await get(there, "layout", false), odd);
    assertEquals(await get(there, "drafts/note"), "half a sen");
    // Both are open: what one changes the other shows.
    await set(here, "drafts/note", "a whole sentence");
    await until(there, "drafts/note", "a whole sentence");
    await here.context().close();
    await there.context().close();
  });

  await test.step("a new device that dies while it takes a view along takes all of it the next time", async () => {
    const artist = await world.studio.as("creator");
    const userId = artist.user?.id ?? "";
    const here = await pages.open(await pages.profile(artist));
    await openWorkspace(here, userId);
    const names = Array.from({ length: 60 }, (_, n) => `panels/list.${n}`);
    for (const name of names) await set(here, name, { scroll: 338 }, false);
    await untilSaved(here);
    const profile = await pages.profile(artist);
    const killed = await pages.open(profile);
    await killed.evaluate(() => {
      const { put } = IDBObjectStore.prototype;
      let count = 0;
      // From the fortieth on nothing is written any more, as when it is killed there.
      IDBObjectStore.prototype.put = function (value, key) {
        if (String(key).startsWith("edit/") && ++count >= 40) this.transaction.abort();
        return put.call(this, value, key);
      };
    });
    await openWorkspace(killed, userId);
    await untilKept(killed, userId);
    await kill(killed);
    const again = await pages.open(profile);
    await openWorkspace(again, userId);
    const kept = await Promise.all(names.map((name) => get(again, name, false)));
    assertEquals(kept, names.map(() => ({ scroll: 338 })));
    await here.context().close();
    await profile.close();
  });

  await test.step("keeps what was saved while a reading from before it was on its way", async () => {
    const artist = await world.studio.as("creator");
    const profile = await pages.profile(artist);
    const page = await pages.open(profile);
    await openWorkspace(page, artist.user?.id ?? "");
    const gates = [gate(), gate()] as const;
    let readings = 0;
    await profile.route(/\/documents\?after=/, async (route) => {
      const own = gates[readings++];
      const response = await route.fetch();
      own?.reached.resolve();
      await own?.open.promise;
      await route.fulfill({ response });
    });
    const read = () => page.evaluate(() => dispatchEvent(new Event("online")));
    await read();
    await gates[0].reached.promise;
    await set(page, "drafts/note", "saved meanwhile");
    await untilSaved(page);
    gates[0].open.resolve();
    await read();
    // One reading at a time: the first has been taken in.
    await gates[1].reached.promise;
    assertEquals(await get(page, "drafts/note"), "saved meanwhile");
    gates[1].open.resolve();
    await profile.unrouteAll({ behavior: "wait" });
    await profile.close();
  });

  await test.step("has what was typed when the tab was killed and the studio out of reach", async () => {
    const artist = await world.studio.as("creator");
    const userId = artist.user?.id ?? "";
    const profile = await pages.profile(artist);
    const killed = await pages.open(profile);
    await openWorkspace(killed, userId);
    await set(killed, "drafts/note", "before");
    await untilSaved(killed);
    const comeBack = await cutOff(profile);
    await set(killed, "drafts/note", "typed just now");
    await set(killed, "layout", { split: "row" }, false);
    await untilKept(killed, userId);
    await kill(killed);
    const again = await pages.open(profile);
    await openWorkspace(again, userId);
    assertEquals(await get(again, "drafts/note"), "typed just now");
    assertEquals(await get(again, "layout", false), { split: "row" });
    await again.waitForFunction(() => module.workspace.state === "unsaved", undefined, { polling: 20 });
    await comeBack();
    await again.evaluate(() => dispatchEvent(new Event("online")));
    await untilSaved(again);
    const workspaceId = await again.evaluate(() => module.workspace.current?.id ?? "");
    const { items } = await artist.call(readDocuments, {
      params: { workspaceId: workspaceId as never },
      query: { after: 0 },
    });
    const device = await again.evaluate(() => localStorage.getItem("seedloop.device"));
    assertEquals(items.map(({ name, content }) => [name, content]), [
      ["drafts/note", '"typed just now"'],
      [`view/${device}.1/layout`, '{"split":"row"}'],
    ]);
    await profile.close();
  });

  await test.step("shows without a break what was typed before anybody could say which workspaces there are", async () => {
    const artist = await world.studio.as("creator");
    const userId = artist.user?.id ?? "";
    const here = await pages.open(await pages.profile(artist));
    await openWorkspace(here, userId);
    await set(here, "drafts/note", "from the desk");
    await set(here, "drafts/other", "left alone");
    await untilSaved(here);
    const profile = await pages.profile(artist);
    await profile.route("**/api/workspaces", (route) => route.abort("connectionreset"));
    const fresh = await pages.open(profile);
    await openWorkspace(fresh, userId);
    await set(fresh, "drafts/note", "typed on the road");
    const isAsked = Promise.withResolvers<void>();
    const mayAnswer = Promise.withResolvers<void>();
    await profile.route("**/api/workspaces/*/documents**", async (route) => {
      isAsked.resolve();
      await mayAnswer.promise;
      await route.continue();
    });
    await profile.unroute("**/api/workspaces");
    // Twice: what is to be saved asks, too, when the way is free again.
    await fresh.evaluate(() => [1, 2].forEach(() => dispatchEvent(new Event("online"))));
    await isAsked.promise;
    assertEquals(await get(fresh, "drafts/note"), "typed on the road");
    mayAnswer.resolve();
    await untilSaved(fresh);
    assertEquals(await get(fresh, "drafts/note"), "typed on the road");
    assertEquals(await get(fresh, "drafts/other"), "left alone");
    await until(here, "drafts/note", "typed on the road");
    const branches = await here.evaluate(() => module.workspace.branches("drafts/note"));
    assertEquals(branches.length, 1);
    await here.context().close();
    await profile.close();
  });

  await test.step("gives each tab a view of its own, and shares what is shared at once", async () => {
    const artist = await world.studio.as("creator");
    const userId = artist.user?.id ?? "";
    const profile = await pages.profile(artist);
    const one = await pages.open(profile);
    await openWorkspace(one, userId);
    await set(one, "layout", "one", false);
    await untilSaved(one);
    const other = await pages.open(profile);
    await openWorkspace(other, userId);
    // It begins as the view that was used last, and goes its own way from there.
    assertEquals(await get(other, "layout", false), "one");
    await set(other, "layout", "other", false);
    await set(other, "drafts/note", "from the other tab");
    await until(one, "drafts/note", "from the other tab");
    await Promise.all([untilSaved(one), untilSaved(other)]);
    assertEquals([await get(one, "layout", false), await get(other, "layout", false)], ["one", "other"]);
    for (const page of [one, other]) {
      await page.reload();
      await loadModule(page);
      await openWorkspace(page, userId);
    }
    assertEquals([await get(one, "layout", false), await get(other, "layout", false)], ["one", "other"]);
    assertEquals(await other.evaluate(() => module.workspace.branches("layout", { isShared: false })), []);
    await profile.close();
  });

  await test.step("a new device begins as the one used last; from there each keeps its own view", async () => {
    const artist = await world.studio.as("creator");
    const userId = artist.user?.id ?? "";
    const desk = await pages.open(await pages.profile(artist));
    await openWorkspace(desk, userId);
    await set(desk, "layout", "desk", false);
    await untilSaved(desk);
    const elsewhere = await pages.profile(artist);
    const couch = await pages.open(elsewhere);
    await openWorkspace(couch, userId);
    assertEquals(await get(couch, "layout", false), "desk");
    await set(couch, "layout", "couch", false);
    // Told to the other device after it: so the layout's change was told, too.
    await set(couch, "drafts/note", "from the couch");
    await until(desk, "drafts/note", "from the couch");
    assertEquals(await get(desk, "layout", false), "desk");
    // Another device was used since, and this one still comes back as it was.
    await set(desk, "layout", "desk again", false);
    await Promise.all([untilSaved(desk), untilSaved(couch)]);
    await couch.close();
    const again = await pages.open(elsewhere);
    await openWorkspace(again, userId);
    assertEquals(await get(again, "layout", false), "couch");
    await desk.context().close();
    await elsewhere.close();
  });

  await test.step("keeps both sides of a conflict, shows the newer, and goes back to the other", async () => {
    const artist = await world.studio.as("creator");
    const userId = artist.user?.id ?? "";
    const [profile, elsewhere] = [await pages.profile(artist), await pages.profile(artist)];
    const here = await pages.open(profile);
    await openWorkspace(here, userId);
    await set(here, "drafts/note", "common");
    await untilSaved(here);
    const there = await pages.open(elsewhere);
    await openWorkspace(there, userId);
    const comeBack = await cutOff(profile);
    await set(here, "drafts/note", "older, offline");
    await here.waitForFunction(() => module.workspace.state === "unsaved", undefined, { polling: 20 });
    await set(there, "drafts/note", "newer");
    await untilSaved(there);
    await comeBack();
    await here.evaluate(() => dispatchEvent(new Event("online")));
    await until(here, "drafts/note", "newer");
    await here.waitForFunction(() => (globalThis as unknown as { heard: Heard }).heard.branched.length > 0);
    assertEquals(await here.evaluate(() => (globalThis as unknown as { heard: Heard }).heard.branched), [
      "drafts/note",
    ]);
    const [branch] = await here.evaluate(() => module.workspace.branches("drafts/note"));
    await here.evaluate((id) => module.workspace.goBack(id as never), branch?.id ?? "");
    assertEquals(await get(here, "drafts/note"), "older, offline");
    await until(there, "drafts/note", "older, offline");
    assertEquals((await there.evaluate(() => module.workspace.branches("drafts/note"))).length, 2);
    await profile.close();
    await elsewhere.close();
  });

  await test.step("has several workspaces by name, each with its own documents", async () => {
    const artist = await world.studio.as("creator");
    const profile = await pages.profile(artist);
    const page = await pages.open(profile);
    await openWorkspace(page, artist.user?.id ?? "");
    await set(page, "layout", "main", false);
    await page.evaluate(() => module.workspace.create("Review"));
    assertEquals(await get(page, "layout", false), "main");
    await set(page, "layout", "review", false);
    const names = () => page.evaluate(() => module.workspace.list.map(({ name }) => name).sort());
    assertEquals(await names(), ["Main", "Review"]);
    await page.evaluate(async () => {
      const main = module.workspace.list.find(({ name }) => name === "Main");
      await module.workspace.choose(main?.id ?? "");
    });
    assertEquals(await get(page, "layout", false), "main");
    await page.evaluate(async () => {
      const review = module.workspace.list.find(({ name }) => name === "Review");
      await module.workspace.choose(review?.id ?? "");
      await module.workspace.change(review?.id ?? "", { isRemoved: true });
    });
    assertEquals([await names(), await get(page, "layout", false)], [["Main"], "main"]);
    await profile.close();
  });

  await test.step("keeps the workspace that was made while the list of all was under way", async () => {
    const artist = await world.studio.as("creator");
    const profile = await pages.profile(artist);
    const page = await pages.open(profile);
    await openWorkspace(page, artist.user?.id ?? "");
    const isAsked = Promise.withResolvers<void>();
    const isMade = Promise.withResolvers<void>();
    await profile.route("**/api/workspaces", async (route) => {
      if (route.request().method() !== "GET") return await route.continue();
      const older = await route.fetch();
      isAsked.resolve();
      await isMade.promise;
      await route.fulfill({ response: older });
    });
    await page.evaluate(() => dispatchEvent(new Event("online")));
    await isAsked.promise;
    await page.evaluate(() => module.workspace.create("Review"));
    await profile.unroute("**/api/workspaces");
    const isRead = page.waitForResponse((reply) => reply.url().includes("/documents?after="));
    isMade.resolve();
    await isRead;
    assertEquals(await page.evaluate(() => module.workspace.current?.name), "Review");
    assertEquals(await page.evaluate(() => module.workspace.list.length), 2);
    await profile.close();
  });

  await test.step("says which document is too large and goes on saving the others", async () => {
    const artist = await world.studio.as("creator");
    const profile = await pages.profile(artist);
    const page = await pages.open(profile);
    await openWorkspace(page, artist.user?.id ?? "");
    await set(page, "drafts/large", "x".repeat(600_000));
    await set(page, "drafts/small", "x");
    const saved = async () => {
      const workspaceId = await page.evaluate(() => module.workspace.current?.id ?? "");
      const params = { workspaceId: workspaceId as never };
      return (await artist.call(readDocuments, { params, query: { after: 0 } })).names;
    };
    await page.waitForFunction(
      () => (globalThis as unknown as { heard: Heard }).heard.refused.length > 0,
      undefined,
      { polling: 20, timeout: 60_000 },
    );
    await page.evaluate(() => module.workspace.flush());
    assertEquals(await saved(), ["drafts/small"]);
    await set(page, "drafts/large", "shorter");
    await untilSaved(page);
    assertEquals(await saved(), ["drafts/large", "drafts/small"]);
    await profile.close();
  });
});
