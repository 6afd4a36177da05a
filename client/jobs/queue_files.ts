import { signal } from "@lit-labs/signals";
import { tell } from "#client/core/notices.ts";
import { QueueDocument } from "#server/jobs/contract.ts";
import { noteQueued } from "./changes.ts";
import { type ImportReport, queue } from "./queue_store.ts";
import { w } from "./words.ts";

/** A queue that one is about to take in, of which something can't be. */
export interface ImportAsk {
  readonly document: QueueDocument;
  readonly report: ImportReport;
}

const asked = signal<ImportAsk | undefined>(undefined);

/** Undefined while nothing is asked. */
export function importAsked(): ImportAsk | undefined {
  return asked.get();
}

export function askImport(ask: ImportAsk | undefined): void {
  asked.set(ask);
}

/** Puts the waiting jobs into a file of the browser's downloads. Throws ApiError. */
export async function exportToFile(): Promise<void> {
  const document = await queue.export();
  const link = globalThis.document.createElement("a");
  link.href = URL.createObjectURL(
    new Blob([JSON.stringify(document, undefined, 2)], { type: "application/json" }),
  );
  link.download = `queue-${document.exportedAt.slice(0, 16).replace(":", "-")}.seedloop.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href));
  tell({ kind: "done", text: w("exported", { n: document.jobs.length }) });
}

/** Asks for a file and takes it in; where something of it can't be, it is asked what to do. Throws ApiError. */
export async function importFromFile(): Promise<void> {
  const text = await chooseFile();
  if (text === undefined) return;
  const parsed = parse(text);
  if (!parsed) return void tell({ kind: "failed", text: w("importNotJson") });
  const report = await queue.import(parsed, { dryRun: true });
  if (report.refused.length === 0) await importNow(parsed);
  else askImport({ document: parsed, report });
}

/** Queues what can be of it. Throws ApiError. */
export async function importNow(document: QueueDocument): Promise<void> {
  const { made } = await queue.import(document, { skipRefused: true });
  askImport(undefined);
  const jobIds = made.flatMap(({ jobId }) => jobId ?? []);
  const text = w("imported", { n: jobIds.length });
  tell({ kind: "done", text, undo: noteQueued(text, { jobIds }) });
}

/** As the studio is to judge it; undefined where it is not even JSON of this format. */
function parse(text: string): QueueDocument | undefined {
  try {
    return QueueDocument.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** The text of a JSON file that one chooses; undefined when one does not. */
function chooseFile(): Promise<string | undefined> {
  const input = document.createElement("input");
  input.type = "file";
  input.accept = "application/json,.json";
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  input.addEventListener("change", async () => resolve(await input.files?.[0]?.text()));
  input.addEventListener("cancel", () => resolve(undefined));
  input.click();
  return promise;
}
