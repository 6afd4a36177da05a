import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { controlStyles } from "./control_styles.ts";
import { icon } from "./icons.ts";
import { w } from "./words.ts";

/** Files were dropped, pasted or chosen. Folders come as entries, to be walked by who wants them. */
export class FilesEvent extends Event {
  static readonly type = "st-files";
  constructor(readonly files: readonly File[], readonly entries: readonly FileSystemEntry[]) {
    super(FilesEvent.type, { bubbles: true, composed: true });
  }
}

/**
 * A place for files: whatever is inside can be dropped on, pasted into, and `choose()` opens the system's picker.
 * Without content it shows its `label`, and is pressed to choose. Sends `st-files`. Several at once, where one is
 * meant, it leaves to whoever is around it.
 */
@customElement("st-drop-zone")
export class DropZone extends SignalWatcher(LitElement) {
  static override shadowRootOptions: ShadowRootInit = {
    ...LitElement.shadowRootOptions,
    delegatesFocus: true,
  };
  static override styles = [
    controlStyles,
    css`
      :host {
        position: relative;
        display: block;
        min-width: 0;
      }
      .place {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        justify-content: center;
        gap: var(--space-2);
        width: 100%;
        height: 100%;
        min-height: var(--space-12);
        padding: var(--space-3);
        border: var(--size-hairline) dashed var(--color-field-line);
        border-radius: var(--radius-control);
        background: none;
        color: var(--color-text-quiet);
        cursor: pointer;
        text-wrap: balance;
      }
      .place:hover {
        background: var(--color-surface);
        color: var(--color-text);
      }
      .veil {
        position: absolute;
        inset: 0;
        z-index: 1;
        display: grid;
        place-content: center;
        border: var(--size-running-line) solid var(--color-ion);
        border-radius: var(--radius-control);
        background: color-mix(in oklab, var(--color-ion) 12%, var(--color-ground) 80%);
        color: var(--color-text);
        pointer-events: none;
      }
    `,
  ];

  @property()
  accessor label = "";
  /** "image/*,.zip": what the picker offers and what may be dropped. */
  @property()
  accessor accept = "";
  @property({ type: Boolean })
  accessor multiple = false;
  @property({ type: Boolean, reflect: true })
  accessor disabled = false;
  @state()
  accessor isOver = false;
  @query("input")
  accessor input!: HTMLInputElement;
  #depth = 0;

  constructor() {
    super();
    this.addEventListener("dragenter", (event) => this.#enter(event));
    this.addEventListener("dragover", (event) => this.#takes(event) && event.preventDefault());
    this.addEventListener("dragleave", () => this.#leave());
    this.addEventListener("drop", (event) => this.#drop(event));
    this.addEventListener("paste", (event) => this.#paste(event));
  }

  override render() {
    return html`
      <slot>
        <button class="place" ?disabled=${this.disabled} @click=${() => this.choose()}>
          ${icon("upload")}<span>${this.label}</span>
        </button>
      </slot>
      <input type="file" hidden tabindex="-1" aria-label=${this.label} accept=${this.accept || nothing}
        ?multiple=${this.multiple} @change=${this.#chosen}>
      ${this.isOver ? html`<div class="veil">${this.label || w("dropHere")}</div>` : nothing}
    `;
  }

  /** Opens the system's file picker; call it from a click. */
  choose(): void {
    if (!this.disabled) this.input.click();
  }

  #takes(event: DragEvent): boolean {
    return !this.disabled && (event.dataTransfer?.types.includes("Files") ?? false);
  }

  // Entering a child comes before leaving its parent: only the count tells.
  #enter(event: DragEvent): void {
    if (!this.#takes(event)) return;
    event.preventDefault();
    this.#depth++;
    this.isOver = true;
  }

  #leave(): void {
    this.#depth = Math.max(0, this.#depth - 1);
    this.isOver = this.#depth > 0;
  }

  #drop(event: DragEvent): void {
    this.#depth = 0;
    this.isOver = false;
    if (!this.#takes(event) || !event.dataTransfer || this.#isTooMany(event.dataTransfer.files)) return;
    event.preventDefault();
    const entries = [...event.dataTransfer.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
    this.#give([...event.dataTransfer.files], entries);
  }

  #paste(event: ClipboardEvent): void {
    const files = [...event.clipboardData?.files ?? []];
    if (this.disabled || files.length === 0 || this.#isTooMany(files)) return;
    event.preventDefault();
    this.#give(files, []);
  }

  #isTooMany({ length }: { readonly length: number }): boolean {
    return !this.multiple && length > 1;
  }

  readonly #chosen = () => {
    const files = [...this.input.files ?? []];
    // The same file chosen again is a choice too.
    this.input.value = "";
    this.#give(files, []);
  };

  #give(files: readonly File[], entries: readonly FileSystemEntry[]): void {
    const some = this.multiple ? files : files.slice(0, 1);
    if (some.length > 0) this.dispatchEvent(new FilesEvent(some, entries));
  }
}
