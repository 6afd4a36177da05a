import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { customElement, query, state } from "lit/decorators.js";
import { tellError } from "#client/core/notices.ts";
import { selection } from "#client/core/place.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import { icon } from "#client/ui/icons.ts";
import "#client/ui/kbd.ts";
import { type Entry, noteRecent, type PaletteSource, paletteSources, recentIds } from "./palette_sources.ts";
import { w } from "./words.ts";

const MOST = 60;
const MOST_OF_ONE = 40;
const FIRST_SHOWN = 12;
/** As many as its window shows: these are painted with the stroke, the others right after it. */
const AT_ONCE = 16;

interface Group {
  readonly label: string;
  readonly entries: readonly Entry[];
}

/** The palette: everything that one can do or go to, by a few letters. `open()` it; it closes by itself. */
@customElement("st-palette")
export class Palette extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      dialog {
        width: min(calc(1.3 * var(--size-dialog)), calc(100vw - var(--space-8)));
        max-height: min(70vh, var(--size-dialog));
        margin-block: 12vh auto;
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
      .ask {
        display: flex;
        flex: none;
        align-items: center;
        gap: var(--space-3);
        padding: 0 var(--space-4);
        border-bottom: var(--size-hairline) solid var(--color-line);
        color: var(--color-text-quiet);
      }
      input {
        flex: 1;
        min-width: 0;
        height: var(--size-top-bar);
        padding: 0;
        border: 0;
        background: none;
        color: var(--color-text);
        font: var(--font-weight-regular) var(--size-text-lead) var(--font-ui);
      }
      input:focus-visible {
        outline: none;
        box-shadow: none;
      }
      .chosen {
        font-size: var(--size-text-small);
        white-space: nowrap;
      }
      .list {
        flex: 1;
        min-height: 0;
        padding: var(--space-1);
        overflow-y: auto;
        scroll-padding: var(--space-6);
      }
      .heading {
        padding: var(--space-2) var(--space-3) var(--space-1);
        color: var(--color-text-quiet);
        font-size: var(--size-label);
      }
      [role="option"] {
        display: grid;
        grid-template-columns: var(--size-icon) minmax(0, 1fr) auto;
        gap: var(--space-3);
        align-items: center;
        min-height: var(--size-control);
        padding: var(--space-1) var(--space-3);
        border-radius: var(--radius-control);
        cursor: default;
        content-visibility: auto;
        contain-intrinsic-block-size: auto var(--size-control);
      }
      [aria-selected="true"] {
        background: var(--color-hover);
        box-shadow: inset var(--size-running-line) 0 0 0 var(--color-ion);
      }
      .icon {
        color: var(--color-text-quiet);
      }
      .name {
        display: flex;
        gap: var(--space-3);
        min-width: 0;
        align-items: baseline;
      }
      .name > :last-child:not(:first-child) {
        flex: 0 1000 auto;
        color: var(--color-text-quiet);
        font-size: var(--size-text-small);
      }
      .off {
        color: var(--color-text-quiet);
      }
      mark {
        background: none;
        color: var(--color-ion);
      }
      .nothing {
        padding: var(--space-6) var(--space-4);
        color: var(--color-text-quiet);
      }
      .nothing p {
        margin: 0;
      }
      .nothing p:first-child {
        color: var(--color-text);
      }
    `,
  ];

  @state()
  accessor text = "";
  @state()
  accessor groups: readonly Group[] = [];
  @state()
  accessor at = 0;
  @state()
  accessor isOpen = false;
  @query("dialog")
  accessor dialog!: HTMLDialogElement;
  @query("input")
  accessor input!: HTMLInputElement | null;
  /** So many of the entries are rendered. */
  @state()
  accessor limit = AT_ONCE;
  #stop = new AbortController();
  #rest = 0;
  #isScrolled = false;

  override render() {
    const entries = this.#entries;
    return html`
      <dialog aria-label=${w("palette")} @close=${this.#closed} @click=${this.#clickBeside}
        @keydown=${(event: KeyboardEvent) => event.stopPropagation()}>
        ${this.isOpen
          ? html`
            <div class="ask">
              ${icon("search")}
              <input role="combobox" aria-expanded=${entries.length > 0
                ? "true"
                : "false"} aria-controls="list" aria-autocomplete="list"
                aria-label=${w("palette")} placeholder=${w(
                  "paletteHint",
                )} spellcheck="false" autocomplete="off"
                aria-activedescendant=${entries[this.at] ? `option-${this.at}` : nothing} .value=${this.text}
                @input=${this.#typed} @keydown=${this.#move}>
              ${this.#selection()}
            </div>
            <div class="list" id="list" role="listbox" aria-label=${w(
              "palette",
            )} ?hidden=${entries.length === 0}
              @scroll=${() => this.#isScrolled = true}>${this.#list()}</div>
            ${entries.length === 0 ? this.#nothing() : nothing}
          `
          : nothing}
      </dialog>
    `;
  }

  get #entries(): Entry[] {
    return this.groups.flatMap(({ entries }) => entries);
  }

  #selection() {
    const chosen = selection();
    return chosen ? html`<span class="chosen">${w("selected", { n: chosen.ids.length })}</span>` : nothing;
  }

  #list() {
    let index = 0;
    return this.groups.map(({ label, entries }) => {
      const shown = entries.slice(0, Math.max(0, this.limit - index));
      if (shown.length === 0) return nothing;
      return html`
        <div role="group" aria-label=${label}>
          <div class="heading" aria-hidden="true">${label}</div>
          ${shown.map((entry) => this.#option(entry, index++))}
        </div>
      `;
    });
  }

  #option(entry: Entry, index: number) {
    const isOff = entry.whyNot !== undefined;
    const hint = entry.whyNot || entry.hint;
    return html`
      <div role="option" id=${`option-${index}`} aria-selected=${index === this.at ? "true" : "false"}
        aria-disabled=${isOff ? "true" : nothing} class=${isOff ? "off" : ""}
        @pointermove=${() => this.at = index} @click=${() => void this.#choose(entry)}>
        ${entry.icon ? icon(entry.icon) : html`<span></span>`}
        <span class="name"><span class="cut">${marked(entry)}</span>${hint
          ? html`<span class="cut">${hint}</span>`
          : nothing}</span>
        ${entry.keys ? html`<st-kbd keys=${entry.keys}></st-kbd>` : nothing}
      </div>
    `;
  }

  #nothing() {
    return html`
      <div class="nothing" role="status">
        <p>${w("nothingFound", { text: this.text })}</p>
        <p>${w("nothingFoundMend")}</p>
      </div>
    `;
  }

  /** Opens it, with what is to stand in its field. */
  open(text = ""): void {
    if (this.isOpen) return;
    this.isOpen = true;
    this.text = text;
    this.dialog.showModal();
    void this.updateComplete.then(() => this.input?.focus());
    void this.#find();
  }

  /** At once: the event of a dialog that closes may come late, in a window that is behind another. */
  close(): void {
    this.dialog.close();
    this.#closed();
  }

  protected override updated(changed: PropertyValues<this>) {
    if (changed.has("groups") && this.#isScrolled) {
      this.renderRoot.querySelector("#list")?.scrollTo(0, 0);
      this.#isScrolled = false;
    }
    // The first line is seen without it, and asking costs a layout.
    if (!changed.has("at") || (this.at === 0 && !this.#isScrolled)) return;
    this.renderRoot.querySelector(`#option-${this.at}`)?.scrollIntoView({ block: "nearest" });
  }

  readonly #typed = (event: InputEvent) => {
    if (event.target instanceof HTMLInputElement) this.text = event.target.value;
    void this.#find();
  };

  async #find(): Promise<void> {
    this.#stop.abort();
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    const { sources, text } = this.#asked();
    const found = new Map<PaletteSource, readonly Entry[]>();
    const show = () => {
      if (!signal.aborted) this.#show(text === "" ? arrangeRecent(sources, found) : arrange(sources, found));
    };
    // Under the hand that is about to press Enter nothing changes any more.
    const join = () => {
      if (signal.aborted) return;
      const chosen = this.#entries[this.at]?.id;
      show();
      this.at = Math.max(0, this.#entries.findIndex(({ id }) => id === chosen));
    };
    // What is at hand shows at once; what the studio is asked for joins it.
    const late = sources.map((source) => {
      const entries = source.find(text, MOST_OF_ONE, signal);
      if (!(entries instanceof Promise)) return void found.set(source, entries);
      return entries.then((some) => {
        found.set(source, some);
        join();
      }, () => {});
    });
    show();
    await Promise.all(late);
  }

  #show(groups: readonly Group[]): void {
    this.groups = groups;
    this.at = 0;
    this.limit = AT_ONCE;
    cancelAnimationFrame(this.#rest);
    this.#rest = requestAnimationFrame(() => setTimeout(() => this.limit = Infinity));
  }

  #asked(): { sources: readonly PaletteSource[]; text: string } {
    const all = paletteSources();
    const text = this.text.trim();
    const only = all.filter(({ prefix }) => prefix !== undefined && text.startsWith(prefix));
    return only.length > 0 ? { sources: only, text: text.slice(1).trim() } : { sources: all, text };
  }

  readonly #move = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    const entries = this.#entries;
    const count = entries.length;
    const to: Readonly<Record<string, number>> = {
      ArrowDown: this.at + 1,
      ArrowUp: this.at - 1,
      PageDown: Math.min(count - 1, this.at + 8),
      PageUp: Math.max(0, this.at - 8),
    };
    const next = to[event.key];
    if (next !== undefined && count > 0) this.at = (next + count) % count;
    else if (event.key === "Enter" && entries[this.at]) void this.#choose(entries[this.at]!);
    else return;
    event.preventDefault();
  };

  async #choose(entry: Entry): Promise<void> {
    if (entry.whyNot !== undefined) return;
    // First closed, so that the focus is back where the command may want it.
    this.close();
    noteRecent(entry.id);
    try {
      await entry.run();
    } catch (error) {
      tellError(error);
    }
  }

  readonly #clickBeside = (event: MouseEvent) => {
    if (event.target === this.dialog) this.close();
  };

  readonly #closed = () => {
    this.#stop.abort();
    cancelAnimationFrame(this.#rest);
    this.isOpen = false;
    this.groups = [];
  };
}

/** Before anything is typed: what was chosen last, then what there is. */
function arrangeRecent(
  sources: readonly PaletteSource[],
  found: ReadonlyMap<PaletteSource, readonly Entry[]>,
): Group[] {
  const byId = new Map([...found.values()].flat().map((entry) => [entry.id, entry]));
  const recent = recentIds().flatMap((id) => byId.get(id) ?? []).slice(0, 6);
  const isRecent = new Set(recent.map(({ id }) => id));
  const groups = sources.map((source): Group => ({
    label: source.label(),
    entries: (found.get(source) ?? []).filter(({ id }) => !isRecent.has(id))
      .slice(0, sources.length === 1 ? MOST : FIRST_SHOWN),
  }));
  return [{ label: w("recent"), entries: recent }, ...groups].filter(({ entries }) => entries.length > 0);
}

/** Groups in the order of their best line. */
function arrange(
  sources: readonly PaletteSource[],
  found: ReadonlyMap<PaletteSource, readonly Entry[]>,
): Group[] {
  const groups = sources.flatMap((source) => {
    const entries = found.get(source) ?? [];
    return entries.length > 0 ? [{ label: source.label(), entries }] : [];
  });
  return groups.toSorted((one, other) => (other.entries[0]?.score ?? 0) - (one.entries[0]?.score ?? 0));
}

function marked({ name, ranges = [] }: Entry) {
  const parts: unknown[] = [];
  let from = 0;
  for (const [start, end] of ranges) {
    parts.push(name.slice(from, start), html`<mark>${name.slice(start, end)}</mark>`);
    from = end;
  }
  return [...parts, name.slice(from)];
}
