import { css, html, LitElement } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { controlStyles } from "./control_styles.ts";
import { w } from "./words.ts";
import "./icon_button.ts";

const TOLD_MS = 2_000;

/** A text that people carry elsewhere (an id, an address, a command): selected by one click, copied by a button. */
@customElement("st-copy-text")
export class CopyText extends LitElement {
  static override styles = [
    controlStyles,
    css`
      :host {
        display: inline-flex;
        align-items: center;
        gap: var(--space-1);
        max-width: 100%;
        min-width: 0;
      }
      code {
        min-width: 0;
        overflow-wrap: anywhere;
        user-select: all;
        color: var(--color-text);
        font: var(--font-weight-regular) var(--size-text-small) / 1.5 var(--font-mono);
        font-variant-ligatures: none;
      }
    `,
  ];

  @property()
  accessor text = "";
  @state()
  accessor isCopied = false;

  override render() {
    return html`
      <code>${this.text}</code>
      <st-icon-button small icon=${this.isCopied ? "check" : "copy"} label=${this.isCopied
        ? w("copied")
        : w("copy")}
        @click=${this.#copy}></st-icon-button>
      <span class="unseen" role="status">${this.isCopied ? w("copied") : ""}</span>
    `;
  }

  readonly #copy = async () => {
    await copy(this.text, this.renderRoot.querySelector("code"));
    this.isCopied = true;
    setTimeout(() => this.isCopied = false, TOLD_MS);
  };
}

/** Over plain HTTP there is no clipboard: then the old command copies what is selected. */
async function copy(text: string, shown: Element | null): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    if (shown) getSelection()?.selectAllChildren(shown);
    document.execCommand("copy");
  }
}
