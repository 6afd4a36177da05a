import type { Side, Target } from "./layout.ts";

/** How far a pointer goes before a press is a drag, in CSS pixels. */
const SLACK = 6;
/** How near to the dock's rim a drop is beside everything, in CSS pixels. */
const RIM = 14;
/** Share of an area that is one of its sides. */
const SIDE_SHARE = 0.28;

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Where something would go, and the box to show for it, inside the dock. */
export interface Drop {
  readonly target: Target;
  readonly box: Box;
}

export interface DragListener {
  /** The press has become a drag. */
  began?(): void;
  moved(event: PointerEvent): void;
  /** `isDone` is false when Esc or the system ended it. Not called for a mere press. */
  ended?(isDone: boolean): void;
}

/** Follows a pressed pointer until it is let go; Esc ends it too. A click after a drag does not come through. */
export function followPointer(from: PointerEvent, listener: DragListener): void {
  let isDrag = false;
  const stop = new AbortController();
  const { signal } = stop;
  const end = (isDone: boolean) => {
    stop.abort();
    if (!isDrag) return;
    addEventListener("click", swallow, { capture: true, once: true });
    setTimeout(() => removeEventListener("click", swallow, true));
    listener.ended?.(isDone);
  };
  addEventListener("pointermove", (event) => {
    if (event.pointerId !== from.pointerId) return;
    if (!isDrag) {
      if (Math.hypot(event.clientX - from.clientX, event.clientY - from.clientY) < SLACK) return;
      isDrag = true;
      listener.began?.();
    }
    event.preventDefault();
    listener.moved(event);
  }, { signal });
  addEventListener("pointerup", (event) => event.pointerId === from.pointerId && end(true), { signal });
  addEventListener("pointercancel", () => end(false), { signal });
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !isDrag) return;
    event.stopImmediatePropagation();
    event.preventDefault();
    end(false);
  }, { signal, capture: true });
}

function swallow(event: Event): void {
  event.stopImmediatePropagation();
  event.preventDefault();
}

/** Where a panel goes that is let go at a point over the dock: the rim, an area's side, or its tabs. */
export function dropAt(dock: Element, { x, y }: Point, areas: Iterable<Element>): Drop | undefined {
  const whole = dock.getBoundingClientRect();
  if (!isInside(whole, { x, y })) return undefined;
  const at = { x: x - whole.left, y: y - whole.top };
  const rim = sideWithin({ left: 0, top: 0, width: whole.width, height: whole.height }, at, RIM);
  if (rim) return { target: { side: rim }, box: sideOf(whole, whole, rim, 1 / 4) };
  // Floating areas come last and lie on top.
  const area = [...areas].findLast((one) =>
    one instanceof HTMLElement && isInside(one.getBoundingClientRect(), { x, y })
  );
  if (!(area instanceof HTMLElement) || !area.dataset.area) return undefined;
  return dropInArea(whole, area.getBoundingClientRect(), area.dataset.area, { x, y });
}

function dropInArea(whole: DOMRect, box: DOMRect, areaId: string, { x, y }: Point): Drop {
  const across = (x - box.left) / box.width;
  const down = (y - box.top) / box.height;
  const nearest = ([["left", across], ["right", 1 - across], ["top", down], ["bottom", 1 - down]] as const)
    .toSorted(([, one], [, other]) => one - other)[0];
  if (nearest && nearest[1] < SIDE_SHARE) {
    return { target: { areaId, side: nearest[0] }, box: sideOf(whole, box, nearest[0], 1 / 2) };
  }
  return { target: { areaId }, box: inside(whole, box) };
}

function isInside(box: DOMRect, { x, y }: Point): boolean {
  return box.width > 0 && x >= box.left && x <= box.right && y >= box.top && y <= box.bottom;
}

function sideWithin(box: Box, { x, y }: Point, distance: number): Side | undefined {
  if (x - box.left < distance) return "left";
  if (box.left + box.width - x < distance) return "right";
  if (y - box.top < distance) return "top";
  return box.top + box.height - y < distance ? "bottom" : undefined;
}

function inside(whole: DOMRect, { left, top, width, height }: DOMRect): Box {
  return { left: left - whole.left, top: top - whole.top, width, height };
}

/** The part of a box on one side. */
function sideOf(whole: DOMRect, rect: DOMRect, side: Side, share: number): Box {
  const box = inside(whole, rect);
  if (side === "left") return { ...box, width: box.width * share };
  if (side === "right") return { ...box, left: box.left + box.width * (1 - share), width: box.width * share };
  if (side === "top") return { ...box, height: box.height * share };
  return { ...box, top: box.top + box.height * (1 - share), height: box.height * share };
}
