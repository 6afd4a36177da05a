import type { LitElement } from "lit";

/** Puts the focus into an element that was made a moment ago and has drawn nothing yet that could take it. */
export function focusWhenDrawn(element: LitElement | null): void {
  void element?.updateComplete.then(() => element.focus());
}
