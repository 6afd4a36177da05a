import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { ApiError } from "#client/core/call.ts";
import { tell, tellError } from "#client/core/notices.ts";
import type { Rate } from "#server/core/media_time.ts";
import type { Field } from "#client/ui/field.ts";
import "#client/ui/button.ts";
import "#client/ui/dialog.ts";
import "#client/ui/field.ts";
import "#client/ui/select.ts";
import { openProject, type ProjectAsk } from "./commands.ts";
import { noteProject } from "./changes.ts";
import { projectStore } from "./project_store.ts";
import { w } from "./words.ts";

/** Edit rates that hand-off formats know (SPEC rule 12). */
const RATES = ["24/1", "24000/1001", "25/1", "30/1", "30000/1001", "48/1", "50/1", "60/1", "60000/1001"];
const SIZES = ["1280x720", "1920x1080", "2560x1440", "3840x2160", "1080x1920", "1080x1080", "832x480"];

/** Asks for a new project's name, rate and size, or for another name. Sends `st-close`. */
@customElement("st-project-form")
export class ProjectForm extends SignalWatcher(LitElement) {
  static override styles = css`
    form {
      display: grid;
      gap: var(--space-4);
      min-width: min(100%, var(--size-form));
    }
    .note {
      margin: 0;
      color: var(--color-text-quiet);
      font-size: var(--size-text-small);
    }
    .pair {
      display: grid;
      grid-template-columns: 1fr 1fr;
      gap: var(--space-3);
    }
  `;

  @property({ attribute: false })
  accessor ask: ProjectAsk | undefined = undefined;
  @state()
  accessor name = "";
  @state()
  accessor rate = "24/1";
  @state()
  accessor size = "1280x720";
  @state()
  accessor width = "1280";
  @state()
  accessor height = "720";
  @state()
  accessor problem: ApiError | undefined = undefined;
  @state()
  accessor isBusy = false;

  protected override willUpdate(changed: PropertyValues<this>) {
    if (!changed.has("ask") || !this.ask) return;
    this.problem = undefined;
    this.name = this.ask.kind === "rename" ? this.ask.project.name : "";
  }

  override render() {
    const { ask } = this;
    const isNew = ask?.kind === "create";
    return html`
      <st-dialog heading=${isNew ? w("createProject") : w("renameProject")} .open=${ask !== undefined}>
        <form @submit=${this.#submit} @input=${this.#mend}>
          <st-field autofocus label=${w("name")} hint=${isNew ? w("nameHint") : ""} required maxlength="120"
            .value=${this.name} fault=${this.#fault("name")} @input=${(event: Event) =>
              this.name = valueOf(event)}></st-field>
          ${isNew ? this.#more() : nothing}
        </form>
        <st-button slot="actions" variant="quiet" @click=${() => this.#close()}>${w("cancel")}</st-button>
        <st-button slot="actions" variant="primary" .busy=${this.isBusy} @click=${() => void this.#send()}
          ?disabled=${this.name.trim() === ""}>${isNew ? w("create") : w("save")}</st-button>
      </st-dialog>
    `;
  }

  #more() {
    return html`
      <div class="pair">
        <st-select label=${w("rate")} .value=${this.rate} .options=${RATES.map((value) => ({
          value,
          label: showRate(readRate(value)),
        }))} @change=${(event: Event) => this.rate = valueOf(event)}></st-select>
        <st-select label=${w("size")} .value=${this.size} .options=${[
          ...SIZES.map((value) => ({ value, label: value.replace("x", " × ") })),
          { value: "", label: w("sizeCustom") },
        ]} @change=${(event: Event) => this.size = valueOf(event)}></st-select>
      </div>
      ${this.size === ""
        ? html`
          <div class="pair">
            <st-field type="number" label=${w("width")} unit="px" min="64" max="8192" step="2" .value=${this
              .width}
              fault=${this.#fault("widthPx")} @input=${(event: Event) =>
                this.width = valueOf(event)}></st-field>
            <st-field type="number" label=${w("height")} unit="px" min="64" max="8192" step="2"
              .value=${this.height} fault=${this.#fault("heightPx")}
              @input=${(event: Event) => this.height = valueOf(event)}></st-field>
          </div>
        `
        : nothing}
      <p class="note">${w(
        "rateHint",
      )}</p>
    `;
  }

  #fault(field: string): string {
    return this.problem?.fields.find((one) => one.field === `/body/${field}`)?.message ?? "";
  }

  /** What was wrong is being mended: the studio says whether it is. */
  readonly #mend = () => this.problem = undefined;

  readonly #submit = (event: Event) => {
    event.preventDefault();
    void this.#send();
  };

  #close(): void {
    this.dispatchEvent(new Event("st-close", { bubbles: true, composed: true }));
  }

  async #send(): Promise<void> {
    const { ask } = this;
    if (!ask || this.isBusy || this.name.trim() === "") return;
    this.isBusy = true;
    try {
      if (ask.kind === "create") await this.#create();
      else await this.#rename(ask);
      this.#close();
    } catch (error) {
      if (error instanceof ApiError && error.fields.length > 0) this.problem = error;
      else tellError(error);
    } finally {
      this.isBusy = false;
    }
  }

  async #create(): Promise<void> {
    const [width, height] = (this.size || `${this.width}x${this.height}`).split("x").map(Number);
    const project = await projectStore.create({
      name: this.name,
      rate: readRate(this.rate),
      widthPx: width,
      heightPx: height,
    });
    const { id, name } = project;
    const [before, after] = [{ status: "trashed" }, { status: "active" }] as const;
    noteProject(w("created", { name }), { projectId: id, id, before, after });
    openProject(id);
  }

  async #rename({ project }: Extract<ProjectAsk, { kind: "rename" }>): Promise<void> {
    const name = this.name.trim();
    const { id } = project;
    await projectStore.change(id, { name });
    const text = w("renamed", { name });
    const undo = noteProject(text, { projectId: id, id, before: { name: project.name }, after: { name } });
    tell({ kind: "done", text, undo });
  }
}

function valueOf(event: Event): string {
  return (event.target as Field).value;
}

/** "23.976 fps", "24 fps": for reading, never for reckoning. */
export function showRate({ num, den }: Rate): string {
  return `${Number((num / den).toFixed(3))} fps`;
}

function readRate(text: string): Rate {
  const [num = 24, den = 1] = text.split("/").map(Number);
  return { num, den };
}
