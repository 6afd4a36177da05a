export type Side = "below" | "above" | "right" | "left";

/** Where something is on the screen: an element's box, or a point with no size. */
export type Anchor = Pick<DOMRect, "left" | "top" | "right" | "bottom">;

const OPPOSITE: Readonly<Record<Side, Side>> = {
  below: "above",
  above: "below",
  right: "left",
  left: "right",
};

/**
 * Moves a shown `position: fixed` element beside `anchor`: on `side`, or opposite where only there is room, its edge
 * along the anchor's, and always whole inside the window. Its own margin is the distance kept.
 */
export function placeBeside(floating: HTMLElement, anchor: Anchor, side: Side = "below"): void {
  const { width, height } = floating.getBoundingClientRect();
  const chosen = roomOn(OPPOSITE[side], anchor) > roomOn(side, anchor) && roomOn(side, anchor) < sizeOn(side)
    ? OPPOSITE[side]
    : side;
  const isRtl = getComputedStyle(floating).direction === "rtl";
  const along = isRtl ? anchor.right - width : anchor.left;
  const left = chosen === "right" ? anchor.right : chosen === "left" ? anchor.left - width : along;
  const top = chosen === "below" ? anchor.bottom : chosen === "above" ? anchor.top - height : anchor.top;
  floating.style.left = `${clamp(left, innerWidth - width)}px`;
  floating.style.top = `${clamp(top, innerHeight - height)}px`;

  function sizeOn(where: Side): number {
    return where === "left" || where === "right" ? width : height;
  }
}

/** The anchor of a click or a touch. */
export function pointAnchor(x: number, y: number): Anchor {
  return { left: x, right: x, top: y, bottom: y };
}

function roomOn(side: Side, anchor: Anchor): number {
  if (side === "below") return innerHeight - anchor.bottom;
  if (side === "above") return anchor.top;
  return side === "right" ? innerWidth - anchor.right : anchor.left;
}

function clamp(value: number, most: number): number {
  return Math.max(0, Math.min(value, most));
}
