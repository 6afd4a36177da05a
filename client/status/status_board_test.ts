import { assertEquals } from "@std/assert/mod.js";
import { findBarriers } from "#server/testing/accessibility.ts";
import type { Page } from "#server/testing/browser.ts";
import { type ClientPages, openClientPages, type PageView } from "#server/testing/client_page.ts";
import type { Worker } from "#server/fleet/contract.ts";
import type { Job } from "#server/jobs/contract.ts";
import type { StatusFacts } from "./status_facts.ts";

const NOW = Date.parse("2026-03-01T12:00:00Z");
const LONG_NAME = "A name of eighty characters that somebody typed without a thought for any column";

function job(number: number, given: Partial<Job>): Job {
  return {
    id: `0197a2c4-0000-7000-8000-${String(number).padStart(12, "0")}`,
    label: "Generate",
    status: "running",
    projectId: "p1",
    workerId: "w1",
    progressRatio: null,
    progressNote: null,
    error: null,
    isCancelAsked: false,
    createdAt: "2026-03-01T11:50:00Z",
    startedAt: "2026-03-01T11:58:00Z",
    finishedAt: null,
    ...given,
  } as Job; // What the board reads of a job.
}

const WORKER = {
  id: "w1",
  name: LONG_NAME,
  kind: "cpu_engine",
  status: "online",
  url: "http://127.0.0.1:1",
  software: "Seedloop",
  version: "1.0",
  maxParallel: 1,
  running: 1,
  isPaused: false,
  lastSeenAt: null,
  lastError: null,
} as unknown as Worker;

const FULL: Partial<StatusFacts> = {
  studio: {
    version: "1.2.3",
    startedAt: "2026-03-01T10:00:00Z",
    isReady: true,
    missing: [],
    workers: { online: 1, total: 1 },
    sockets: 1,
    machine: {
      host: "studio-1",
      os: "linux",
      cores: 8,
      memoryBytes: 64e9,
      freeMemoryBytes: 32e9,
      runtime: "Deno",
    },
    threads: [
      { name: "queue", status: "running", restarts: 0, since: "2026-03-01T10:00:00Z", lastError: null },
      {
        name: "media",
        status: "waiting",
        restarts: 2,
        since: "2026-03-01T11:59:00Z",
        lastError: "It was silent",
      },
    ],
    disk: { freeBytes: 40e9, totalBytes: 1000e9 },
    media: "ffmpeg 7.1, native",
    database: "PostgreSQL 18, embedded",
  },
  workers: [WORKER],
  running: [job(1, {}), job(2, { label: "Stitch cut" })],
  waiting: [job(3, { status: "blocked" }), job(4, { status: "held" })],
  failed: [job(5, { status: "failed", error: "The model is missing", finishedAt: "2026-03-01T11:59:00Z" })],
  readAt: NOW,
};

/** Gives the board what it is to show. Maps don't survive the way into the page as properties of an object. */
async function show(
  page: Page,
  facts: Partial<StatusFacts>,
  projects: Record<string, string>,
): Promise<void> {
  await page.evaluate(async ({ facts, projects, now }) => {
    // deno-lint-ignore no-explicit-any -- the element's class lives in the page's bundle only
    const board = document.querySelector("st-status-board") as any;
    board.facts = { ...board.facts, ...facts, projects: new Map(Object.entries(projects)) };
    const [first, second] = (facts.running ?? []) as readonly { id: string }[];
    board.progress = new Map(first ? [[first.id, { ratio: 0.425, note: "step 8 of 20" }]] : []);
    const picture = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==";
    board.previews = new Map(second ? [[second.id, picture]] : []);
    board.now = now;
    await board.updateComplete;
  }, { facts, projects, now: NOW });
}

async function openBoard(pages: ClientPages, view?: PageView) {
  return await pages.open("st-status-board", "status_panel", view);
}

Deno.test("st-status-board", async (test) => {
  await using pages = await openClientPages();

  await test.step("tells what runs and how far, what failed and why, what waits and for what", async () => {
    const { page, said } = await openBoard(pages);
    await show(page, FULL, { p1: "Aurora" });
    assertEquals(
      await page.getByRole("heading", { level: 1 }).innerText(),
      "One thing is broken. 2 jobs run, 2 wait.",
    );
    const bar = page.getByRole("progressbar", { name: "Generate" });
    assertEquals(await bar.evaluate((one) => (one as HTMLProgressElement).value), 0.425);
    for (
      const text of [
        "step 8 of 20 · Aurora",
        "42 %",
        "waits for another job · Aurora",
        "The model is missing",
      ]
    ) {
      await page.getByText(text, { exact: true }).waitFor();
    }
    await page.getByRole("img", { name: "Stitch cut: the picture so far" }).waitFor();
    await page.getByText("CPU preview", { exact: true }).waitFor();
    await page.getByText("40.0 GB free of 1.00 TB").waitFor();
    assertEquals(said, []);
  });

  await test.step("says in an empty studio what to do first", async () => {
    const { page, said } = await openBoard(pages);
    await show(page, { readAt: NOW, workers: [WORKER] }, {});
    await page.getByRole("heading", { name: "Make the first clip" }).waitFor();
    assertEquals(await findBarriers(page), []);
    assertEquals(said, []);
  });

  for (const theme of ["dark", "light"] as const) {
    for (const width of [320, 1280, 2560]) {
      await test.step(`is readable and fits in ${theme} at ${width} px`, async () => {
        const { page } = await openBoard(pages, { theme, width });
        await show(page, FULL, { p1: LONG_NAME });
        assertEquals(await findBarriers(page), []);
        const overflow = await page.evaluate(() =>
          document.documentElement.scrollWidth - document.documentElement.clientWidth
        );
        assertEquals(overflow, 0);
      });
    }
  }

  await test.step("moves nothing where motion is not wanted", async () => {
    const { page } = await openBoard(pages, { hasReducedMotion: true });
    await show(page, FULL, { p1: "Aurora" });
    assertEquals(await page.evaluate(() => document.getAnimations().length), 0);
  });
});
