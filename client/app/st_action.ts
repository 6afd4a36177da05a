import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { findCommand, isAllowed, runCommand } from "#client/core/commands.ts";
import { formStyles } from "#client/ui/form_styles.ts";
import { icon } from "#client/ui/icons.ts";
import { keysOf, showKeys } from "./keymap.ts";

/**
 * A command as a button: its label, icon and key, hidden without the permission, and off with the reason where it
 * can't be done now. `<st-action command="clips.generate" .target=${clip} look="primary"></st-action>`
 */
@customElement("st-action")
export class StAction extends SignalWatcher(LitElement) {
  static override shadowRootOptions: ShadowRootInit = {
    ...LitElement.shadowRootOptions,
    delegatesFocus: true,
  };
  static override styles = [
    formStyles,
    css`
      :host {
        display: inline-flex;
        min-width: 0;
      }
      :host([hidden]) {
        display: none;
      }
      button {
        flex: 1;
        min-width: 0;
      }
      button[aria-disabled="true"] {
        color: var(--color-text-off);
        border-color: var(--color-line);
        background: var(--color-raised);
        cursor: default;
      }
      button.quiet[aria-disabled="true"] {
        border-color: transparent;
        background: none;
      }
      button.bare {
        padding: 0 var(--space-1);
        min-width: var(--size-control);
      }
      button.danger {
        color: var(--color-ember);
      }
      button[aria-pressed="true"] {
        color: var(--color-ion);
      }
      .word {
        overflow: hidden;
        text-overflow: ellipsis;
      }
    `,
  ];

  /** Id of the command. */
  @property()
  accessor command = "";
  /** What it is done to; without it, what is open or selected. */
  @property({ attribute: false })
  accessor target: unknown = undefined;
  @property()
  accessor look: "plain" | "primary" | "quiet" = "plain";
  /** Shows the icon only; the label stays as name and tooltip. */
  @property({ type: Boolean, attribute: "icon-only" })
  accessor isIconOnly = false;
  /** Another label than the command's own, where the button says more: "Plan 144 frames · 3 segments". */
  @property()
  accessor label: string | undefined = undefined;
  /** For the slim headers of areas. */
  @property({ type: Boolean })
  accessor small = false;
  @property({ type: Boolean, reflect: true })
  override accessor hidden = false;

  override render() {
    const command = findCommand(this.command);
    if (!command || !isAllowed(command)) return nothing;
    const isOff = !(command.when?.(this.target) ?? true);
    const label = this.label ?? command.label(this.target);
    const keys = keysOf(command).map(showKeys).join(", ");
    const reason = isOff ? command.whyNot?.(this.target) : undefined;
    const isBare = this.isIconOnly && command.icon !== undefined;
    return html`
      <button type="button" class="${this.look} ${isBare ? "bare" : ""} ${command.isDanger ? "danger" : ""}"
        aria-disabled=${isOff ? "true" : nothing} aria-label=${isBare ? label : nothing}
        aria-pressed=${command.isOn ? String(command.isOn(this.target)) : nothing}
        aria-keyshortcuts=${keysOf(command).map(ariaKeys).join(" ") || nothing}
        title=${tooltip(isBare ? label : "", keys, reason) || nothing} @click=${this.#run}>
        ${command.icon ? icon(command.icon) : nothing}${isBare
          ? nothing
          : html`<span class="word">${label}</span>`}
      </button>
    `;
  }

  protected override updated() {
    const command = findCommand(this.command);
    this.hidden = !command || !isAllowed(command);
  }

  readonly #run = () => void runCommand(this.command, this.target);
}

function tooltip(label: string, keys: string, reason: string | undefined): string {
  const first = [label, keys ? `(${keys})` : ""].filter(Boolean).join(" ");
  return [first, reason].filter(Boolean).join("\n");
}

/** "mod+shift+k" as aria-keyshortcuts wants it. */
function ariaKeys(keys: string): string {
  return keys.split("+").map((key) => ARIA[key] ?? key.toUpperCase()).join("+");
}

const ARIA: Readonly<Record<string, string>> = {
  mod: "Control",
  shift: "Shift",
  alt: "Alt",
  arrowleft: "ArrowLeft",
  arrowright: "ArrowRight",
  arrowup: "ArrowUp",
  arrowdown: "ArrowDown",
  space: "Space",
  enter: "Enter",
  escape: "Escape",
  delete: "Delete",
  backspace: "Backspace",
};
