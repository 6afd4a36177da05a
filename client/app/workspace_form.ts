import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, type PropertyValues } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { ApiError } from "#client/core/call.ts";
import { tellError } from "#client/core/notices.ts";
import { workspace } from "#client/core/workspace.ts";
import "#client/ui/button.ts";
import "#client/ui/dialog.ts";
import "#client/ui/field.ts";
import type { Field } from "#client/ui/field.ts";
import { askForWorkspace } from "./workspace_commands.ts";
import { w } from "./words.ts";

/** Asks for a workspace's name: of a new one, which begins as the open one is, or of the open one. */
@customElement("st-workspace-form")
export class WorkspaceForm extends SignalWatcher(LitElement) {
  static override styles = css`
    form {
      min-width: min(100%, var(--size-form));
    }
  `;

  @property()
  accessor ask: "create" | "rename" | undefined = undefined;
  @state()
  accessor name = "";
  @state()
  accessor fault = "";
  @state()
  accessor isBusy = false;

  protected override willUpdate(changed: PropertyValues<this>) {
    if (!changed.has("ask") || !this.ask) return;
    this.fault = "";
    this.name = this.ask === "rename" ? workspace.current?.name ?? "" : "";
  }

  override render() {
    const isNew = this.ask === "create";
    return html`
      <st-dialog heading=${w(isNew ? "createWorkspace" : "renameWorkspace")} .open=${this.ask !== undefined}
        @st-close=${close}>
        <form @submit=${this.#submit}>
          <st-field autofocus label=${w("workspaceName")} required maxlength="120" .value=${this.name}
            fault=${this.fault} hint=${isNew ? w("workspaceHint") : ""} @input=${this.#typed}></st-field>
        </form>
        <st-button slot="actions" variant="quiet" @click=${close}>${w("cancel")}</st-button>
        <st-button slot="actions" variant="primary" .busy=${this.isBusy} ?disabled=${this.name.trim() === ""}
          @click=${() => void this.#send()}>${w(isNew ? "create" : "save")}</st-button>
      </st-dialog>
    `;
  }

  readonly #typed = (event: Event) => {
    this.name = (event.target as Field).value;
    this.fault = "";
  };

  readonly #submit = (event: Event) => {
    event.preventDefault();
    void this.#send();
  };

  async #send(): Promise<void> {
    const name = this.name.trim();
    const { current } = workspace;
    if (name === "" || this.isBusy || !current) return;
    this.isBusy = true;
    try {
      if (this.ask === "create") await workspace.create(name);
      else await workspace.change(current.id, { name });
      close();
    } catch (error) {
      const field = error instanceof ApiError
        ? error.fields.find(({ field }) => field === "/body/name")
        : undefined;
      this.fault = field?.message ?? "";
      if (!field) tellError(error);
    } finally {
      this.isBusy = false;
    }
  }
}

function close(): void {
  askForWorkspace(undefined);
}
