import { css, html, LitElement } from "lit";
import { customElement, property } from "lit/decorators.js";

const isApple = /Mac|iPhone|iPad/.test(navigator.platform);
const NAMES: Readonly<Record<string, string>> = {
  mod: isApple ? "⌘" : "Ctrl",
  ctrl: isApple ? "⌃" : "Ctrl",
  meta: isApple ? "⌘" : "Meta",
  alt: isApple ? "⌥" : "Alt",
  shift: isApple ? "⇧" : "Shift",
  enter: "⏎",
  backspace: "⌫",
  delete: "Del",
  escape: "Esc",
  esc: "Esc",
  space: "Space",
  tab: "Tab",
  home: "Home",
  end: "End",
  left: "←",
  right: "→",
  up: "↑",
  down: "↓",
  arrowleft: "←",
  arrowright: "→",
  arrowup: "↑",
  arrowdown: "↓",
};

/** How the keys of "mod+shift+k" are written on this machine's keyboard: "Ctrl Shift K", "⌘ ⇧ K". */
export function keyNames(keys: string): string[] {
  // The last plus of "mod++" is a key, not a joint.
  return keys.split(/\+(?=.)/).map((key) =>
    NAMES[key.toLowerCase()] ?? (/^(?:.|f\d+)$/u.test(key) ? key.toUpperCase() : key)
  );
}

/** The same for `aria-keyshortcuts`: "Control+Shift+K". */
export function ariaKeys(keys: string): string {
  const names: Readonly<Record<string, string>> = {
    mod: isApple ? "Meta" : "Control",
    ctrl: "Control",
    alt: "Alt",
    shift: "Shift",
    meta: "Meta",
  };
  return keys.split(/\+(?=.)/).map((key) => names[key.toLowerCase()] ?? key).join("+");
}

/** A shortcut as it is written on this machine's keyboard: `<st-kbd keys="mod+k">`. */
@customElement("st-kbd")
export class Kbd extends LitElement {
  static override styles = css`
    :host {
      display: inline-flex;
      gap: var(--space-half);
      vertical-align: baseline;
    }
    kbd {
      min-width: var(--space-4);
      padding: 0 var(--space-1);
      border: var(--size-hairline) solid var(--color-line);
      border-radius: var(--radius-control);
      color: var(--color-text-quiet);
      font: var(--font-weight-regular) var(--size-label) / 1.4 var(--font-ui);
      text-align: center;
      white-space: nowrap;
    }
  `;

  /** "mod+shift+k", "p", "enter": `mod` is Ctrl, and ⌘ on a Mac. */
  @property()
  accessor keys = "";

  override render() {
    return keyNames(this.keys).map((name) => html`<kbd>${name}</kbd>`);
  }
}
