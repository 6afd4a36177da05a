import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement } from "lit";
import { customElement, state } from "lit/decorators.js";
import { tellError } from "#client/core/notices.ts";
import "#client/ui/button.ts";
import "#client/ui/dialog.ts";
import { kindName } from "./names.ts";
import { askImport, type ImportAsk, importAsked, importNow } from "./queue_files.ts";
import { w } from "./words.ts";

const SHOWN = 50;

/** What of a queue's document can't be taken in, and why, before the rest is queued. */
@customElement("st-import-form")
export class ImportForm extends SignalWatcher(LitElement) {
  static override styles = css`
    p {
      margin: 0 0 var(--space-2);
    }
    ol {
      display: grid;
      gap: var(--space-1);
      margin: 0;
      padding: 0;
      list-style: none;
      color: var(--color-text-quiet);
      font-size: var(--size-text-small);
      overflow-wrap: anywhere;
    }
    strong {
      color: var(--color-text);
      font-weight: var(--font-weight-medium);
    }
  `;

  @state()
  accessor isBusy = false;

  override render() {
    const ask = importAsked();
    const { made = [], refused = [] } = ask?.report ?? {};
    const kinds = ask?.document.jobs ?? [];
    return html`
      <st-dialog heading=${w("importHeading")} .open=${ask !== undefined} @st-close=${() =>
        askImport(undefined)}>
        <p>${made.length > 0 ? w("importSome", { n: made.length }) : w("importNone")}. ${w("importRefused", {
          n: refused.length,
        })}</p>
        <ol>${refused.slice(0, SHOWN).map(({ index, reason }) =>
          html`<li><strong>${w("jobAt", { n: index + 1 })}</strong> ${nameOf(kinds[index])}: ${reason}</li>`
        )}</ol>
        <st-button slot="actions" variant="quiet" @click=${() => askImport(undefined)}>${w(
          "dismiss",
        )}</st-button>
        <st-button slot="actions" variant="primary" .busy=${this.isBusy} ?disabled=${made.length === 0}
          @click=${() => void this.#send()}>${w("importRest", { n: made.length })}</st-button>
      </st-dialog>
    `;
  }

  async #send(): Promise<void> {
    const ask = importAsked();
    if (!ask || this.isBusy) return;
    this.isBusy = true;
    try {
      await importNow(ask.document);
    } catch (error) {
      tellError(error);
    } finally {
      this.isBusy = false;
    }
  }
}

function nameOf(job: ImportAsk["document"]["jobs"][number] | undefined): string {
  return job ? kindName({ kind: job.kind, label: job.label ?? job.kind }) : "";
}
