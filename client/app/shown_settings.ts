import { findPanelKind } from "#client/core/panels.ts";
import { dock } from "./dock_store.ts";
import { type Findable, FuzzyIndex, type Match } from "./fuzzy.ts";
import type { PanelRef } from "./layout.ts";
import { type Entry, type PaletteSource, recencyBoost } from "./palette_sources.ts";
import { w } from "./words.ts";

/** What holds one setting each: the elements of client/ui with a label and a value. */
const CONTROLS: ReadonlySet<string> = new Set([
  "st-field",
  "st-select",
  "st-slider",
  "st-switch",
  "st-checkbox",
]);
/** Thousands of things may be in these, and no setting. */
const WITHOUT: ReadonlySet<string> = new Set(["st-grid", "st-table", "st-tree"]);
/** Longer than this a value says nothing more in one line. */
const MOST_LETTERS = 40;

/** What such an element shows; which of these it has depends on its kind. */
interface Control extends HTMLElement {
  readonly label?: string;
  readonly type?: string;
  readonly value?: string | number;
  readonly unit?: string;
  readonly checked?: boolean;
  readonly disabled?: boolean;
  readonly options?: readonly { readonly value: string; readonly label: string }[];
}

interface ShownSetting extends Findable {
  readonly control: Control;
  readonly panel: PanelRef;
}

/**
 * The settings of the panels on the screen, a clip's power knobs for one: each is found by its name, with its value,
 * and choosing it leads to where it is changed. They are looked for as the palette opens, not at each letter.
 */
export function makeShownSettings(screen: () => Element | null): PaletteSource {
  let known = new FuzzyIndex<ShownSetting>([]);
  let all: readonly ShownSetting[] = [];
  let isRead = false;
  return {
    id: "shown-settings",
    label: () => w("settingsHere"),
    prefix: "/",
    find: (query, limit) => {
      if (query === "" || !isRead) {
        all = readSettings(screen());
        known = new FuzzyIndex(all);
        isRead = true;
      }
      const boost = recencyBoost();
      if (query === "") return all.slice(0, limit).map((item) => entryOf({ item, score: 0, ranges: [] }));
      return known.find(query, limit, ({ id }) => boost(id)).map(entryOf);
    },
  };
}

function readSettings(screen: Element | null): readonly ShownSetting[] {
  const counts = new Map<string, number>();
  return [...screen?.querySelectorAll<HTMLElement & { ref: PanelRef }>("st-panel-host") ?? []].flatMap((
    host,
  ) =>
    [...controlsIn(host.shadowRoot ?? host)].flatMap((control): ShownSetting | never[] => {
      const name = (control.label || control.textContent || "").trim();
      if (name === "" || control.type === "search" || control.closest("st-dialog, form")) return [];
      const key = `setting.${host.ref.kind}.${name}`;
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      return { id: `${key}.${count}`, name, keywords: titleOf(host.ref), control, panel: host.ref };
    })
  );
}

function* controlsIn(root: ParentNode): Generator<Control> {
  for (const element of root.querySelectorAll<HTMLElement>("*")) {
    if (CONTROLS.has(element.localName)) yield element;
    else if (element.shadowRoot && !WITHOUT.has(element.localName)) yield* controlsIn(element.shadowRoot);
  }
}

function entryOf({ item, score, ranges }: Match<ShownSetting>): Entry {
  const { id, name, control, panel } = item;
  const hint = [titleOf(panel), valueOf(control)].filter(Boolean).join(" · ");
  return { id, name, hint, icon: "sliders", score, ranges, run: () => show(item) };
}

function titleOf({ id, kind }: PanelRef): string {
  return dock.titleOf(id) ?? findPanelKind(kind)?.title() ?? "";
}

function valueOf({ type, checked, options, value, unit }: Control): string {
  if (checked !== undefined) return w(checked ? "isOn" : "isOff");
  if (type === "password") return "";
  const text = options?.find((one) => one.value === value)?.label ?? String(value ?? "");
  const short = text.length > MOST_LETTERS ? `${text.slice(0, MOST_LETTERS)}…` : text;
  return [short, short === "" ? "" : unit].filter(Boolean).join(" ");
}

/** Its tab comes to the front, its drawer opens, and it has the keyboard. */
function show({ control, panel }: ShownSetting): void {
  dock.show(panel.id);
  for (let at: Element | null = control; at; at = at.parentElement ?? hostOf(at)) {
    if (at instanceof HTMLDetailsElement) at.open = true;
  }
  // Once the drawer is open and the tab shows.
  requestAnimationFrame(() => {
    control.scrollIntoView({ block: "nearest" });
    const input = control.shadowRoot?.querySelector<HTMLElement>("input, select, textarea, button");
    (input ?? control).focus();
  });
}

function hostOf(element: Element): Element | null {
  const root = element.getRootNode();
  return root instanceof ShadowRoot ? root.host : null;
}
