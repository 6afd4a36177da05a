import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, type PropertyValues } from "lit";
import { customElement, property, query } from "lit/decorators.js";
import { controlStyles } from "./control_styles.ts";
import { w } from "./words.ts";
import "./icon_button.ts";

/**
 * Something to decide before all else: `<st-dialog heading="Delete the take" .open=${…}>`, its buttons in the slot
 * "actions". Esc and the cross close it; it then sends `st-close`. Never for waiting.
 */
@customElement("st-dialog")
export class Dialog extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      :host {
        display: contents;
      }
      dialog {
        /* In the middle, but on whole pixels: edges and letters would be smeared over two. */
        inset: 50% auto auto 50%;
        margin: 0;
        translate: round(-50%, var(--size-hairline)) round(-50%, var(--size-hairline));
        width: min(var(--size-dialog), calc(100vw - var(--space-8)));
        max-height: calc(100vh - var(--space-12));
        padding: 0;
        border: var(--size-hairline) solid var(--color-line);
        border-radius: var(--radius-panel);
        background: var(--color-raised);
        color: var(--color-text);
        box-shadow: var(--shadow-float);
        font: var(--font-weight-regular) var(--size-text) / 1.5 var(--font-ui);
      }
      :host([wide]) dialog {
        width: min(var(--size-dialog-wide), calc(100vw - var(--space-8)));
      }
      dialog[open] {
        display: flex;
        flex-direction: column;
        transition: opacity var(--motion-fast) ease-out;
        @starting-style {
          opacity: 0;
        }
      }
      dialog::backdrop {
        background: var(--color-veil);
      }
      .header {
        display: flex;
        align-items: center;
        gap: var(--space-2);
        padding: var(--space-2) var(--space-2) var(--space-2) var(--space-4);
        border-bottom: var(--size-hairline) solid var(--color-line);
      }
      h2 {
        flex: 1;
        min-width: 0;
        margin: 0;
        font-size: var(--size-text-lead);
        font-weight: var(--font-weight-strong);
        overflow-wrap: anywhere;
      }
      .body {
        flex: 1;
        min-height: 0;
        padding: var(--space-4);
        overflow: auto;
      }
      .footer {
        display: flex;
        flex-wrap: wrap;
        justify-content: flex-end;
        gap: var(--space-2);
        padding: 0 var(--space-4) var(--space-4);
      }
    `,
  ];

  @property()
  accessor heading = "";
  @property({ type: Boolean, reflect: true })
  accessor open = false;
  @property({ type: Boolean, reflect: true })
  accessor wide = false;
  @query("dialog")
  accessor dialog!: HTMLDialogElement;

  override render() {
    return html`
      <dialog aria-labelledby="heading" @close=${this.#closed} @keydown=${keepKeys}>
        <div class="header">
          <h2 id="heading">${this.heading}</h2>
          <st-icon-button icon="close" label=${w("close")} @click=${() =>
            this.dialog.close()}></st-icon-button>
        </div>
        <div class="body"><slot></slot></div>
        <div class="footer"><slot name="actions"></slot></div>
      </dialog>
    `;
  }

  /** The first thing to fill in, or to press, not the cross; made with the dialog it has drawn nothing yet. */
  async #focusFirst(): Promise<void> {
    const first = this.querySelector<HTMLElement>("[autofocus]");
    if (first instanceof LitElement) await first.updateComplete;
    if (this.open) first?.focus();
  }

  protected override updated(changed: PropertyValues<this>) {
    if (!changed.has("open")) return;
    if (!this.open) this.dialog.close();
    else if (!this.dialog.open && !isAskedElsewhere(this)) {
      shown.add(this);
      this.dialog.showModal();
      void this.#focusFirst();
    }
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    shown.delete(this);
  }

  readonly #closed = () => {
    shown.delete(this);
    this.open = false;
    this.dispatchEvent(new Event("st-close", { bubbles: true, composed: true }));
  };
}

const shown = new Set<Dialog>();

/** Two panels of one kind have the same form: one of them asks, and one whose panel is not seen can't. */
function isAskedElsewhere(dialog: Dialog): boolean {
  const host = hostOf(dialog);
  if (!host) return false;
  return !host.checkVisibility() ||
    [...shown].some((one) => hostOf(one) !== host && hostOf(one)?.localName === host.localName);
}

function hostOf(dialog: Dialog): Element | undefined {
  const root = dialog.getRootNode();
  return root instanceof ShadowRoot ? root.host : undefined;
}

/** Single keys of the panels behind are not meant. */
function keepKeys(event: KeyboardEvent): void {
  event.stopPropagation();
}
