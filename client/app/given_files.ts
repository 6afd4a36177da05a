import { tellError } from "#client/core/notices.ts";

/** What takes files that no panel took. */
export interface FileTaker extends Element {
  offer(files: readonly File[]): void;
}

/**
 * Takes files that are dropped or pasted wherever nothing else does, until the returned function is called; `isOver`
 * is told while some are dragged over the page. Without it the browser would leave the studio to show the file.
 */
export function takeGivenFiles(taker: () => FileTaker | null, isOver: (isOver: boolean) => void): () => void {
  const stop = new AbortController();
  const { signal } = stop;
  let leaves: ReturnType<typeof setTimeout> | undefined;
  const seen = (is: boolean) => {
    clearTimeout(leaves);
    if (is) isOver(true);
    // The one element is left before the next one is entered.
    else leaves = setTimeout(() => isOver(false), 50);
  };
  addEventListener("dragover", (event) => {
    if (!hasFiles(event.dataTransfer)) return;
    // A place of its own shows itself that it takes them.
    seen(!event.defaultPrevented);
    event.preventDefault();
  }, { signal });
  addEventListener("dragleave", () => seen(false), { signal });
  addEventListener("drop", (event) => {
    seen(false);
    if (event.defaultPrevented || !hasFiles(event.dataTransfer)) return;
    event.preventDefault();
    void give([...event.dataTransfer?.files ?? []]);
  }, { signal });
  addEventListener("paste", (event) => {
    const files = [...event.clipboardData?.files ?? []];
    if (event.defaultPrevented || files.length === 0 || isInDialog(event)) return;
    event.preventDefault();
    void give(files);
  }, { signal });

  async function give(files: readonly File[]): Promise<void> {
    try {
      await import("#client/seeds/given_stills.ts");
      taker()?.offer(files);
    } catch (error) {
      tellError(error);
    }
  }
  return () => {
    clearTimeout(leaves);
    stop.abort();
  };
}

function hasFiles(transfer: DataTransfer | null): boolean {
  return transfer?.types.includes("Files") ?? false;
}

function isInDialog(event: Event): boolean {
  return event.composedPath().some((one) => one instanceof HTMLDialogElement && one.open);
}
