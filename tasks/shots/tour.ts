import type { OpenedBrowser, Page } from "#server/testing/browser.ts";
import type { Camera } from "./camera.ts";
import type { ShotsOptions } from "./options.ts";
import type { World } from "./world.ts";

/** Where the studio may be long in answering. */
const PATIENCE_MS = 20_000;
/** Who one is must be known, or there is only the page to sign in. */
const NOT_REFUSED = /\/api\/(auth\/(refresh|me|socket-ticket)|workspaces)\b/;

const COMPARE =
  "st-variations-panel st-action[command='seeds.compare_kept'] button:not([aria-disabled=true])";

/** Goes through the studio in one browser and has the camera take each screen. */
export class Tour {
  readonly #opened: OpenedBrowser;
  readonly #url: string;
  readonly #options: ShotsOptions;
  readonly #camera: Camera;
  #page: Page | undefined;

  constructor(opened: OpenedBrowser, url: string, options: ShotsOptions, camera: Camera) {
    this.#opened = opened;
    this.#url = url;
    this.#options = options;
    this.#camera = camera;
  }

  /** The first page of a new studio, where the first admin is made. */
  async visitSetup(link: string): Promise<void> {
    const page = await this.#openPage();
    await this.#camera.take(page, "sign-in", "first admin", () => page.goto(link));
    await page.context().close();
  }

  async visitSignIn(): Promise<void> {
    const page = await this.#openPage();
    const { take } = this.#taker(page);
    await take("sign-in", "empty", () => page.goto(this.#url));
    await take("sign-in", "failing", async () => {
      await page.locator("input").first().fill("nobody");
      await page.locator("input[type=password]").fill("not the right phrase");
      await page.keyboard.press("Enter");
      await page.getByRole("alert").first().waitFor();
    });
    await page.context().close();
  }

  /** Signs in; what follows is seen by this account. */
  async enter(login: string, password: string): Promise<void> {
    const page = this.#page = await this.#openPage();
    await page.goto(this.#url);
    await page.locator("input").first().fill(login);
    await page.locator("input[type=password]").fill(password);
    await page.keyboard.press("Enter");
    await page.locator("st-dock st-panel-host").first().waitFor();
  }

  async visitEmptyStudio(): Promise<void> {
    const { take, go } = this.#taker();
    await take("first run", "empty", go("/first-run"));
    await take("projects", "empty", go("/projects"));
    await take("queue", "empty", go("/queue"));
    await take("workers", "empty", go("/workers"));
    await take("status", "empty", go("/status"));
    await take("account", "empty", go("/account"));
    await take("people", "empty", go("/people"));
    await take("history", "empty", this.#solo("history"));
  }

  async visitEmptyProject(at: string): Promise<void> {
    const { take, go } = this.#taker();
    for (const screen of ["characters", "variations", "scenes", "members"]) {
      await take(screen, "empty", go(`${at}/${screen}`));
    }
  }

  async visitFinal(clip: string): Promise<void> {
    const { take, go } = this.#taker();
    await take("clip", "final", go(clip));
  }

  async visitRunning(clip: string): Promise<void> {
    const { take, go } = this.#taker();
    await take("clip", "running", go(clip));
    await take("queue", "running", go("/queue"));
    await take("job tray", "running", this.#inDialog("Control+j"));
    await this.#require().keyboard.press("Escape");
    await take("status", "running", go("/status"));
  }

  /** What is asked for while its lane is paused. */
  async visitWaiting(batch: string): Promise<void> {
    const { page, take, go } = this.#taker();
    await take("variations", "waiting", go(batch));
    await take("queue", "waiting", go("/queue"));
    const view = page.locator("st-queue-panel st-action[command='jobs.view'] button");
    await take("queue", "lanes of the workers", async () => {
      await go("/queue")();
      await view.click();
    });
    const isSwitched = this.#camera.isWanted("queue", "lanes of the workers");
    if (isSwitched && await view.isVisible()) await view.click();
    // Its tooltip would stand in the pictures that follow.
    await page.mouse.move(0, 0);
  }

  async visitFull({ project, character, batch, clips, failedJob, doneJob }: World): Promise<void> {
    const { page, take, go } = this.#taker();
    await take("first run", "full", go("/first-run"));
    await take("projects", "full", go("/projects"));
    for (const screen of ["members", "scenes"]) await take(screen, "full", go(`${project}/${screen}`));
    if (character) await take("characters", "full", go(character));
    if (batch) await take("variations", "full", go(batch));
    await this.#visitComparison(batch);
    for (const [status, clip] of clips) {
      if (status !== "final" || !this.#options.url) await take("clip", status, go(clip));
    }
    await take("queue", "full", async () => {
      await go("/queue")();
      await page.locator("st-queue-panel select").first().selectOption("failed");
    });
    await page.locator("st-queue-panel select").first().selectOption("open").catch(() => {});
    if (failedJob) await take("job", "failed", go(failedJob));
    if (doneJob) await take("job", "done", go(doneJob));
    for (const screen of ["workers", "people", "account", "status", "help", "design"]) {
      await take(screen, "full", go(`/${screen}`));
    }
    await this.#visitTabsAndDialogs(project);
  }

  /** Every screen when the studio refuses what it is asked, in a browser that knows nothing yet. */
  async visitRefused({ project, character, batch, clips, failedJob }: World): Promise<void> {
    const page = await this.#openPage(await this.#page?.context().storageState());
    await page.route(
      /\/api\//,
      (route) =>
        NOT_REFUSED.test(route.request().url()) ? route.continue() : route.fulfill({
          status: 500,
          contentType: "application/problem+json",
          headers: { "x-request-id": "01990000-0000-7000-8000-0000000000ff" },
          body: JSON.stringify({
            type: "about:blank",
            title: "Internal error",
            status: 500,
            code: "internal",
            detail: "The studio could not do it: look into its log with the id of this request",
          }),
        }),
    );
    const { take, visit } = this.#taker(page);
    const places = [
      ["first run", "/first-run"],
      ["projects", "/projects"],
      ["members", `${project}/members`],
      ["characters", character],
      ["variations", batch],
      ["scenes", `${project}/scenes`],
      ["clip", [...clips.values()][0]],
      ["queue", "/queue"],
      ["job", failedJob],
      ["workers", "/workers"],
      ["people", "/people"],
      ["account", "/account"],
      ["status", "/status"],
      ["design", "/design"],
    ] as const;
    for (const [screen, at] of places) if (at) await take(screen, "failing", visit(at));
    await page.context().close();
  }

  /** What is known stays when the studio is gone. */
  async visitSilent({ project, character, clips }: World, stop: () => Promise<void>): Promise<void> {
    const { page, take, go } = this.#taker();
    const [clip] = [clips.get("final"), ...clips.values()];
    const places = [
      ["clip", clip],
      ["characters", character],
      ["scenes", `${project}/scenes`],
      [
        "queue",
        "/queue",
      ],
      ["workers", "/workers"],
      ["status", "/status"],
      ["projects", "/projects"],
    ] as const;
    const isWanted = places.some(([screen]) => this.#camera.isWanted(screen, "silent"));
    if (!isWanted && !this.#camera.isWanted("sign-in", "silent")) return;
    for (const [, at] of places) {
      if (!at) continue;
      await go(at)();
      await this.#camera.settle(page);
    }
    await stop();
    for (const [screen, at] of places) if (at) await take(screen, "silent", go(at));
  }

  async #visitComparison(batch: string | undefined): Promise<void> {
    if (!batch || !this.#camera.isWanted("variations", "comparing")) return;
    const { page, take, go } = this.#taker();
    await take("variations", "comparing", async () => {
      await go(batch)();
      // A key may come before the sheet knows which ones are kept; a button waits until it can be pressed.
      await page.locator(COMPARE).click();
      await page.locator("st-seed-compare").waitFor();
      await page.mouse.move(0, 0);
    });
  }

  /** Something done, taken back and done otherwise, by what every studio has: lanes. At its end all of them go on. */
  async #makeHistory(): Promise<void> {
    const { page, go } = this.#taker();
    await go("/queue")();
    const press = async (lane: string) => {
      await page.locator(`st-queue-panel st-action[command='jobs.pause_${lane}'] button`).click();
      await this.#camera.settle(page);
    };
    for (const lane of ["io", "io"]) await press(lane);
    await page.keyboard.press("Control+z");
    await this.#camera.settle(page);
    for (const lane of ["script", "script", "io"]) await press(lane);
  }

  /** As a tab beside the job: a window of its own would know nothing of what was done here. */
  async #visitHistory(): Promise<void> {
    if (!this.#camera.isWanted("history", "full")) return;
    const { page, take } = this.#taker();
    await this.#makeHistory();
    const area = page.locator("st-area").last();
    const pick = async (menu: number, itemId: string) => {
      const at = await area.locator("st-menu").nth(menu).evaluate(
        (menu, id) =>
          (menu as unknown as { items: { id: string }[] }).items.findIndex((item) => item.id === id),
        itemId,
      );
      await area.locator("st-menu").nth(menu).getByRole("button").first().click();
      await area.locator("st-menu").nth(menu).locator("[role^=menuitem]").nth(at).click();
      await page.mouse.move(0, 0);
    };
    await take("history", "full", () => pick(1, "history"));
    await pick(2, "dock.close_tab");
  }

  async #visitTabsAndDialogs(project: string): Promise<void> {
    const { page, take, go } = this.#taker();
    for (const [name, tab] of [["roles", 1], ["audit", 2]] as const) {
      await take(name, "full", async () => {
        await go("/people")();
        await page.locator("st-dock [role=tab]").nth(tab).click();
      });
    }
    // The layout is remembered: people come first again.
    await page.locator("st-dock [role=tab]").first().click();
    await go(`${project}/scenes`)();
    await take("job tray", "full", this.#inDialog("Control+j"));
    await page.keyboard.press("Escape");
    await take("palette", "full", this.#inDialog("Control+k"));
    await take("palette", "found", () => page.keyboard.type("clip"));
    await page.keyboard.press("Control+A");
    await take("palette", "nothing found", () => page.keyboard.type("zzqqxx"));
    await page.keyboard.press("Escape");
    await take("key sheet", "full", this.#inDialog("?"));
    await page.keyboard.press("Escape");
    await this.#visitHistory();
    await go(`${project}/scenes`)();
  }

  #inDialog(keys: string): () => Promise<void> {
    return async () => {
      const page = this.#require();
      await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
      await page.keyboard.press(keys);
      await page.waitForTimeout(300);
    };
  }

  /** A panel that no screen has, in a window of its own. */
  #solo(kind: string): () => Promise<void> {
    return async () => {
      const page = this.#require();
      await page.goto(`${this.#url}/?panel=shots&kind=${kind}&channel=shots`);
      await page.locator("st-panel-host").first().waitFor();
    };
  }

  #taker(page: Page = this.#require()) {
    return {
      page,
      take: (screen: string, state: string, arrive: () => Promise<unknown>) =>
        this.#camera.take(page, screen, state, arrive),
      /** Within the page, as its links do; from a window of one panel by loading. */
      go: (at: string) => async () => {
        if (page.url().includes("panel=")) return void await page.goto(`${this.#url}${at}`);
        await page.evaluate((at) => {
          history.pushState(null, "", at);
          dispatchEvent(new PopStateEvent("popstate"));
        }, at);
      },
      visit: (at: string) => async () => {
        await page.goto(`${this.#url}${at}`);
        await page.locator("st-dock st-panel-host").first().waitFor({ timeout: PATIENCE_MS });
      },
    };
  }

  #require(): Page {
    if (!this.#page) throw new Error("Nobody is signed in");
    return this.#page;
  }

  async #openPage(storageState?: Awaited<ReturnType<ReturnType<Page["context"]>["storageState"]>>) {
    const { page } = await this.#opened.newPage({
      ...(storageState ? { storageState } : {}),
      locale: this.#options.language === "de" ? "de" : "en",
    });
    page.setDefaultTimeout(PATIENCE_MS);
    this.#camera.watch(page);
    await page.addInitScript(
      (language) => localStorage.setItem("seedloop.language", language),
      this.#options.language,
    );
    return page;
  }
}
