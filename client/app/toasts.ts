import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import {
  dismiss,
  type Notice,
  type NoticeKind,
  notices,
  tellError,
  type Undo,
} from "#client/core/notices.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import "#client/ui/button.ts";
import "#client/ui/icon_button.ts";
import "#client/ui/state_mark.ts";
import type { State } from "#client/ui/state_mark.ts";
import { w } from "./words.ts";

const MARKS: Readonly<Record<NoticeKind, State>> = {
  done: "good",
  info: "queued",
  attention: "attention",
  failed: "failed",
};
/** Long enough to read and to reach the undo. */
const SHOWN_MS = 6_000;
const UNDO_MS = 12_000;

/** The toasts. They leave by themselves, but not under the pointer or the focus, and failures only when put away. */
@customElement("st-toasts")
export class Toasts extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      :host {
        /* In the middle: at the right lie settings and the button that comes next, at the left what one picks from. */
        position: fixed;
        inset-inline: 0;
        bottom: var(--space-8);
        margin-inline: auto;
        z-index: 10;
        display: grid;
        gap: var(--space-2);
        justify-items: center;
        width: min(var(--size-side), calc(100vw - var(--space-8)));
        pointer-events: none;
      }
      .log {
        display: contents;
      }
      .toast {
        display: grid;
        grid-template-columns: var(--size-mark) minmax(0, 1fr) auto auto;
        gap: var(--space-1) var(--space-3);
        align-items: center;
        max-width: 100%;
        padding: var(--space-2) var(--space-2) var(--space-2) var(--space-3);
        color: var(--color-text);
        background: var(--color-raised);
        border: var(--size-hairline) solid var(--color-line);
        border-radius: var(--radius-panel);
        box-shadow: var(--shadow-float);
        pointer-events: auto;
        transition: opacity var(--motion-fast) ease-out, translate var(--motion-fast) ease-out;
        @starting-style {
          opacity: 0;
          translate: 0 var(--space-2);
        }
      }
      .toast.failed {
        border-left: var(--size-running-line) solid var(--color-ember);
      }
      p {
        margin: 0;
        overflow-wrap: anywhere;
      }
      .cause {
        grid-column: 2 / -1;
        color: var(--color-text-quiet);
        font-size: var(--size-text-small);
      }
      .past {
        color: var(--color-text-quiet);
        font-size: var(--size-text-small);
      }
      code {
        font: var(--font-weight-regular) var(--size-label) var(--font-mono);
        user-select: all;
      }
    `,
  ];

  /** Those under the pointer or with the focus, which stay whatever else changes. */
  readonly #held = new Set<number>();
  readonly #timers = new Map<number, ReturnType<typeof setTimeout>>();

  override render() {
    return html`
      <div role="log" aria-live="polite" aria-label=${w("notices")} class="log">
        ${repeat(notices(), ({ id }) => id, (notice) => this.#toast(notice))}
      </div>
    `;
  }

  #toast({ id, kind, text, undo, cause, requestId }: Notice) {
    return html`
      <div class="toast ${kind}" role=${kind === "failed" ? "alert" : "status"} @pointerenter=${() =>
        this.#keep(id)}
        @focusin=${() => this.#keep(id)} @pointerleave=${() => this.#let(id)} @focusout=${() =>
          this.#let(id)}>
        <st-state-mark state=${MARKS[kind]}></st-state-mark>
        <p>${text}</p>
        ${undo ? this.#offer(id, undo) : html`<span></span>`}
        <st-icon-button small icon="close" label=${w("dismiss")} @click=${() => dismiss(id)}></st-icon-button>
        ${cause ? html`<p class="cause">${cause}.</p>` : nothing}
        ${requestId
          ? html`<p class="cause">${w("requestId", { id: "" })}<code>${requestId}</code></p>`
          : nothing}
      </div>
    `;
  }

  /** By Ctrl+Z, or from the history, it may be taken back already. */
  #offer(id: number, undo: Undo) {
    if (undo.isDone?.() === false) return html`<span class="past">${w("takenBack")}</span>`;
    return html`<st-button variant="quiet" @click=${() => void this.#undo(id, undo)}>${
      w("undo")
    }</st-button>`;
  }

  protected override updated() {
    this.#plan();
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  #plan(): void {
    for (const { id, kind, undo } of notices()) {
      if (kind === "failed" || this.#held.has(id) || this.#timers.has(id)) continue;
      this.#timers.set(
        id,
        setTimeout(() => {
          this.#timers.delete(id);
          dismiss(id);
        }, undo ? UNDO_MS : SHOWN_MS),
      );
    }
  }

  #let(id: number): void {
    this.#held.delete(id);
    this.#plan();
  }

  #keep(id: number): void {
    this.#held.add(id);
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
  }

  async #undo(id: number, undo: Undo): Promise<void> {
    dismiss(id);
    try {
      await undo();
    } catch (error) {
      tellError(error);
    }
  }
}
