import type { PanelState } from "#client/core/panels.ts";
import { findByPath, pathWithin } from "./element_path.ts";
import { putBack } from "./put_back.ts";

const KEY = "scroll";
const REST_MS = 120;

/** Path within the panel → from the left, from the top, in pixels. */
type Places = Readonly<Record<string, readonly [left: number, top: number]>>;

/**
 * Remembers how far each scroller in a panel was scrolled, however deep it lies, and scrolls there again once its
 * content is there. Returns its end.
 */
export function keepScroll(panel: HTMLElement, state: PanelState): () => void {
  const watched = new WeakSet<Element>();
  const back = putBack(panel, state.get<Places>(KEY, {}), (path, [left, top]) => {
    const scroller = findByPath(panel, path);
    if (!scroller) return false;
    scroller.scrollTo({ left, top, behavior: "instant" });
    return Math.abs(scroller.scrollLeft - left) < 1 && Math.abs(scroller.scrollTop - top) < 1;
  }, (path) => findByPath(panel, path) !== undefined);
  let rest: ReturnType<typeof setTimeout> | undefined;
  let moved = new Set<Element>();
  const note = () => {
    rest = undefined;
    const places: Record<string, readonly [number, number]> = { ...state.get<Places>(KEY, {}) };
    for (const scroller of moved) {
      const path = pathWithin(panel, scroller);
      // What is still on its way back is as it was kept, not as it happens to be.
      if (path === undefined || back.waits(path)) continue;
      const place = [scroller.scrollLeft, scroller.scrollTop] as const;
      if (place.every((pixels) => pixels === 0)) delete places[path];
      else places[path] = place;
    }
    moved = new Set();
    state.set(KEY, places);
  };
  const remember = (scroller: Element) => {
    moved.add(scroller);
    rest ??= setTimeout(note, REST_MS);
  };
  const scrolled = ({ currentTarget }: Event) => {
    if (currentTarget instanceof Element) remember(currentTarget);
  };
  // Scrolling is told to the scroller's own tree only; the hand or the key that scrolls passes through all of them.
  const near = (event: Event) => {
    const path = event.composedPath();
    for (const one of path.slice(0, path.indexOf(panel) + 1)) {
      if (!(one instanceof Element) || watched.has(one) || !canScroll(one)) continue;
      watched.add(one);
      one.addEventListener("scroll", scrolled, { passive: true });
      // Code or the browser itself may have scrolled it before anyone touched it.
      if (one.scrollTop !== 0 || one.scrollLeft !== 0) remember(one);
    }
  };
  // A focus that moves within a part of the panel is told to that part alone: the keys around it tell the others.
  const NEAR = ["pointerover", "wheel", "focusin", "keydown", "keyup", "input"] as const;
  for (const name of NEAR) panel.addEventListener(name, near, { passive: true });
  return () => {
    clearTimeout(rest);
    back.stop();
    for (const name of NEAR) panel.removeEventListener(name, near);
  };
}

function canScroll(element: Element): boolean {
  return element.scrollHeight > element.clientHeight + 1 || element.scrollWidth > element.clientWidth + 1;
}
