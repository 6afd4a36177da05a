/** What was given its own text as a title here; any other title is left alone. */
const titled = new WeakSet<Element>();

/** Words that a narrow place cuts off can be read whole under the pointer, until the returned function is called. */
export function titleCutWords(): () => void {
  const look = (event: PointerEvent) => {
    for (const part of event.composedPath().slice(0, 2)) if (part instanceof HTMLElement) titleIfCut(part);
  };
  addEventListener("pointerover", look, { passive: true });
  return () => removeEventListener("pointerover", look);
}

function titleIfCut(part: HTMLElement): void {
  if (part.title !== "" && !titled.has(part)) return;
  const isCut = part.scrollWidth > part.clientWidth && getComputedStyle(part).textOverflow === "ellipsis";
  if (isCut) {
    titled.add(part);
    part.title = part.innerText;
  } else if (titled.delete(part)) part.removeAttribute("title");
}
