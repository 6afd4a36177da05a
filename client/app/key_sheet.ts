import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, query, state } from "lit/decorators.js";
import { type Command, commands, isAllowed } from "#client/core/commands.ts";
import { findPanelKind } from "#client/core/panels.ts";
import { controlStyles, inputStyles } from "#client/ui/control_styles.ts";
import "#client/ui/button.ts";
import "#client/ui/icon_button.ts";
import "#client/ui/kbd.ts";
import "#client/ui/switch.ts";
import { fold } from "./fuzzy.ts";
import {
  allowSingleKeys,
  bindKeys,
  boundKeys,
  clashesWith,
  keysOf,
  restoreKeys,
  showKeys,
  singleKeys,
  strokeOf,
} from "./keymap.ts";
import { w } from "./words.ts";

/** The sheet of keys: what each does where, and a place to change them. `open()` it. */
@customElement("st-key-sheet")
export class KeySheet extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    inputStyles,
    css`
      dialog {
        width: min(var(--size-dialog-wide), calc(100vw - var(--space-8)));
        max-height: calc(100vh - var(--space-12));
        padding: 0;
        overflow: hidden;
        color: var(--color-text);
        background: var(--color-raised);
        border: var(--size-hairline) solid var(--color-line);
        border-radius: var(--radius-panel);
        box-shadow: var(--shadow-float);
        font: var(--font-weight-regular) var(--size-text) / 1.4 var(--font-ui);
      }
      dialog[open] {
        display: flex;
        flex-direction: column;
      }
      dialog::backdrop {
        background: color-mix(in oklab, var(--color-ground) 40%, transparent);
      }
      .head,
      .foot {
        display: flex;
        flex: none;
        flex-wrap: wrap;
        align-items: center;
        gap: var(--space-3);
        padding: var(--space-3) var(--space-4);
      }
      .head {
        border-bottom: var(--size-hairline) solid var(--color-line);
      }
      .foot {
        border-top: var(--size-hairline) solid var(--color-line);
        justify-content: space-between;
      }
      h2 {
        margin: 0;
        font-size: var(--size-text-lead);
        font-weight: var(--font-weight-strong);
      }
      .head .input {
        flex: 1;
        min-width: 12ch;
      }
      .body {
        flex: 1;
        min-height: 0;
        padding: var(--space-2) var(--space-4) var(--space-4);
        overflow-y: auto;
        columns: 2 34ch;
        column-gap: var(--space-8);
      }
      .group {
        break-inside: avoid-column;
      }
      h3 {
        margin: var(--space-3) 0 var(--space-1);
        color: var(--color-text-quiet);
        font-size: var(--size-label);
        font-weight: var(--font-weight-medium);
      }
      .line {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto;
        align-items: center;
        gap: var(--space-2);
        min-height: var(--size-control);
      }
      .line.off > .cut {
        color: var(--color-text-quiet);
      }
      .keys {
        display: inline-flex;
        align-items: center;
        gap: var(--space-2);
        min-height: var(--size-control-small);
        padding: 0 var(--space-1);
        border: var(--size-hairline) solid transparent;
        border-radius: var(--radius-control);
        background: none;
        color: var(--color-text-quiet);
        font-size: var(--size-text-small);
        cursor: pointer;
      }
      .keys:hover {
        border-color: var(--color-line);
      }
      .keys[aria-pressed="true"] {
        border-color: var(--color-ion);
        color: var(--color-text);
      }
      .fault {
        grid-column: 1 / -1;
      }
      .hint {
        margin: 0;
        color: var(--color-text-quiet);
        font-size: var(--size-text-small);
      }
    `,
  ];

  @state()
  accessor isOpen = false;
  @state()
  accessor text = "";
  /** The command whose new keys are waited for. */
  @state()
  accessor bindingId: string | undefined;
  @state()
  accessor fault = "";
  @query("dialog")
  accessor dialog!: HTMLDialogElement;

  override render() {
    return html`
      <dialog aria-labelledby="title" @close=${() => this.isOpen = false} @keydown=${this.#key}>
        ${this.isOpen
          ? html`
            <div class="head">
              <h2 id="title">${w("keySheet")}</h2>
              <input class="input" type="search" aria-label=${w("find")} placeholder=${w("find")}
                spellcheck="false" autofocus .value=${this.text} @input=${this.#find}>
              <st-icon-button icon="close" label=${w("close")} @click=${() =>
                this.dialog.close()}></st-icon-button>
            </div>
            <div class="body">${this.#groups().map(([title, list]) => this.#group(title, list))}</div>
            <div class="foot">
              <p class="hint">${this.bindingId ? w("pressKeys") : w("keySheetHint")}</p>
              <st-switch .checked=${singleKeys()} label=${w("singleKeysAre")} @change=${() =>
                allowSingleKeys(!singleKeys())}>${w("singleKeysAre")}</st-switch>
              ${Object.keys(boundKeys()).length > 0
                ? html`<st-button @click=${() => restoreKeys({})}>${w("allOwnKeys")}</st-button>`
                : nothing}
            </div>
          `
          : nothing}
      </dialog>
    `;
  }

  /** By where a key acts, then by slice; those without a key only when they are looked for. */
  #groups(): [string, Command[]][] {
    const wanted = fold(this.text.trim());
    const groups = new Map<string, Command[]>();
    for (const command of commands()) {
      if (!isAllowed(command)) continue;
      const isMeant = wanted === "" ||
        fold(`${command.label()} ${keysOf(command).map(showKeys).join(" ")}`).includes(wanted);
      if (!isMeant) continue;
      const title = `${command.group()}${scopeOf(command)}`;
      groups.set(title, [...groups.get(title) ?? [], command]);
    }
    return [...groups];
  }

  #group(title: string, list: readonly Command[]) {
    return html`
      <div class="group" role="group" aria-label=${title}>
        <h3>${title}</h3>
        ${list.map((command) => this.#line(command))}
      </div>
    `;
  }

  #line(command: Command) {
    const keys = keysOf(command);
    const isBinding = this.bindingId === command.id;
    return html`
      <div class="line ${keys.length === 0 ? "off" : ""}">
        <span class="cut" title=${command.label()}>${command.label()}</span>
        <button class="keys" type="button" aria-pressed=${isBinding ? "true" : "false"}
          @click=${() => this.#bind(isBinding ? undefined : command.id)}
          @contextmenu=${(event: Event) => this.#giveBack(event, command)}>
          <span class="unseen">${w("changeKeys", { command: command.label() })}: </span>
          ${isBinding
            ? w("pressKeys")
            : keys.length > 0
            ? keys.map((stroke) => html`<st-kbd keys=${stroke}></st-kbd>`)
            : w("noKey")}
        </button>
        ${isBinding && this.fault ? html`<p class="fault" role="alert">${this.fault}</p>` : nothing}
      </div>
    `;
  }

  open(): void {
    this.isOpen = true;
    this.text = "";
    this.#bind(undefined);
    // With its field there, the focus goes into it.
    void this.updateComplete.then(() => this.dialog.showModal());
  }

  readonly #find = (event: InputEvent) => {
    if (event.target instanceof HTMLInputElement) this.text = event.target.value;
  };

  #bind(commandId: string | undefined): void {
    this.bindingId = commandId;
    this.fault = "";
  }

  #giveBack(event: Event, { id }: Command): void {
    event.preventDefault();
    bindKeys(id, undefined);
  }

  /** No key reaches the studio behind; while keys are waited for, each is taken as meant. */
  readonly #key = (event: KeyboardEvent) => {
    event.stopPropagation();
    const command = commands().find(({ id }) => id === this.bindingId);
    if (!command || event.isComposing) return;
    const stroke = strokeOf(event);
    if (stroke === undefined || stroke === "tab" || stroke === "shift+tab") return;
    event.preventDefault();
    if (stroke === "escape") return this.#bind(undefined);
    if (stroke === "backspace" || stroke === "delete") {
      bindKeys(command.id, []);
      return this.#bind(undefined);
    }
    const [clash] = clashesWith(command, stroke);
    if (clash) {
      this.fault = w("clash", { keys: showKeys(stroke), command: clash.label() });
      return;
    }
    bindKeys(command.id, [stroke]);
    this.#bind(undefined);
  };
}

function scopeOf({ scope }: Command): string {
  if (scope === undefined) return "";
  const kinds = typeof scope === "string" ? [scope] : scope;
  return ` · ${kinds.map((id) => findPanelKind(id)?.title() ?? id).join(", ")}`;
}
