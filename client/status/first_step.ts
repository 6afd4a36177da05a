import { css, html, LitElement, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { ApiError } from "#client/core/call.ts";
import { formStyles } from "#client/ui/form_styles.ts";
import { icon } from "#client/ui/icons.ts";
import { w } from "./words.ts";

/** What to do in a studio in which nothing was made yet: one command, made ready to paste. */
@customElement("st-first-step")
export class FirstStep extends LitElement {
  static override styles = [
    formStyles,
    css`
      :host {
        display: block;
      }
      section {
        display: grid;
        gap: var(--space-3);
        justify-items: start;
        padding: var(--space-4) 0 var(--space-4) var(--space-4);
        border-left: var(--size-running-line) solid var(--color-ion);
      }
      h2 {
        margin: 0;
        font-size: var(--size-text-lead);
        font-weight: var(--font-weight-strong);
      }
      p {
        margin: 0;
        max-width: 68ch;
        color: var(--color-text-quiet);
      }
      .command {
        display: flex;
        gap: var(--space-2);
        align-items: center;
        max-width: 100%;
        padding: var(--space-1) var(--space-1) var(--space-1) var(--space-3);
        background: var(--color-surface);
        border-radius: var(--radius-control);
      }
      code {
        min-width: 0;
        overflow-wrap: anywhere;
        user-select: all;
      }
    `,
  ];

  /** Makes a token and tells its secret. Throws ApiError. */
  @property({ attribute: false })
  accessor makeToken: (() => Promise<string>) | undefined;
  @state()
  accessor command = "";
  @state()
  accessor isCopied = false;
  @state()
  accessor problem = "";

  override render() {
    return html`
      <section aria-labelledby="first">
        <h2 id="first">${w("first")}</h2>
        <p>${w("firstText")}</p>
        ${this.command === ""
          ? html`<button class="primary" @click=${this.#make}>${w("makeCommand")}</button>`
          : this.#ready()}
        <div role="alert">${this.problem ? html`<p class="problem">${this.problem}.</p>` : nothing}</div>
      </section>
    `;
  }

  #ready() {
    return html`
      <div class="command">
        <code>${this.command}</code>
        <button class="quiet" @click=${this.#copy} aria-label=${w("copyCommand")} title=${w("copyCommand")}>
          ${icon(this.isCopied ? "check" : "copy")}</button>
      </div>
      <p class="hint">${w("runHint")}</p>
      <span class="hint" role="status">${this.isCopied ? w("copied") : ""}</span>
    `;
  }

  readonly #make = async () => {
    try {
      const token = await this.makeToken?.();
      this.command = `deno task demo --url ${location.origin} --token ${token}`;
      this.problem = "";
      await this.updateComplete;
      this.renderRoot.querySelector<HTMLElement>(".command button")?.focus();
    } catch (error) {
      this.problem = error instanceof ApiError ? error.message : String(error);
    }
  };

  /** Plain HTTP from another machine has no clipboard: then the command is selected for the person's own copy. */
  readonly #copy = async () => {
    try {
      await navigator.clipboard.writeText(this.command);
      this.isCopied = true;
    } catch {
      const code = this.renderRoot.querySelector("code");
      if (code) getSelection()?.selectAllChildren(code);
    }
  };
}
