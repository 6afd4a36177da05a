import { withNewest } from "#client/core/kept_signal.ts";
import type { PanelState } from "#client/core/panels.ts";
import { entity } from "#client/core/place.ts";
import type { Field } from "#client/ui/field.ts";
import type { Select } from "#client/ui/select.ts";
import { findByPath, pathWithin } from "./element_path.ts";
import { putBack } from "./put_back.ts";

const KEY = "drafts";
/** Of one panel: those of things that are never opened again go in the end. */
const MOST_DRAFTS = 50;

/** Open thing and path within the panel → what stands in the field. */
type Drafts = Readonly<Record<string, string>>;

/**
 * Remembers what is being typed into a panel's fields until it is sent, and types it again where the panel shows
 * anew: a form's texts and choices while the form is open, a setting's text until it is left, a search as long as it is
 * there.
 * Passwords are never kept. Returns its end.
 */
export function keepDrafts(panel: HTMLElement, state: PanelState): () => void {
  const open = () => entity()?.id ?? "";
  const forget = (keys: readonly string[]) => {
    const drafts = state.get<Drafts>(KEY, {});
    if (!keys.some((key) => key in drafts)) return;
    state.set(KEY, Object.fromEntries(Object.entries(drafts).filter(([key]) => !keys.includes(key))));
  };
  const find = (key: string) => {
    const [thing = "", path = ""] = key.split(" ");
    return thing === open() ? findByPath(panel, path) : undefined;
  };
  const back = putBack(
    panel,
    state.get<Drafts>(KEY, {}),
    (key, text) => {
      const field = find(key);
      if (isFormSelect(field)) return chooseAgain(field, text);
      if (!isField(field) || field.value === text) return isField(field);
      field.value = text;
      field.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
      // Nothing is typed any more that the browser could tell of when it is left.
      if (!isOfForm(field)) field.addEventListener("focusout", () => sendDraft(field), { once: true });
      return true;
    },
    (key) => find(key) !== undefined,
    forget,
  );
  const sendDraft = (field: Field) => {
    const key = keyOf(field);
    if (key !== undefined && key in state.get<Drafts>(KEY, {})) {
      field.dispatchEvent(new Event("change", { bubbles: true, composed: true }));
    }
  };
  const keyOf = (element: HTMLElement) => {
    const path = pathWithin(panel, element);
    return path === undefined ? undefined : `${open()} ${path}`;
  };
  const note = (key: string, text: string) =>
    state.set(KEY, withNewest(state.get<Drafts>(KEY, {}), key, text, MOST_DRAFTS));
  const fieldOf = (event: Event) => event.composedPath().find(isField);
  const typed = (event: Event) => {
    const field = fieldOf(event);
    const key = field && keyOf(field);
    if (!field || key === undefined || field.type === "password") return;
    // An emptied field of a form is one that was filled in for one.
    if (field.value === "" && (field.type === "search" || !isOfForm(field))) forget([key]);
    else note(key, field.value);
  };
  const left = (event: Event) => {
    const select = event.composedPath().find(isFormSelect);
    const at = select && keyOf(select);
    if (select && at !== undefined) note(at, select.value);
    const field = fieldOf(event);
    const key = field && keyOf(field);
    if (field && key !== undefined && !isOfForm(field)) forget([key]);
  };
  // A form that was opened again holds other texts than the one that was closed.
  const entered = (event: Event) => {
    const field = fieldOf(event);
    const key = field && keyOf(field);
    if (!field || key === undefined || back.waits(key)) return;
    if (field.value !== state.get<Drafts>(KEY, {})[key]) forget([key]);
  };
  const closed = (event: Event) => {
    const [dialog] = event.composedPath();
    const key = dialog instanceof HTMLElement ? keyOf(dialog) : undefined;
    if (key === undefined) return;
    forget(Object.keys(state.get<Drafts>(KEY, {})).filter((one) => one.startsWith(`${key}/`)));
  };
  panel.addEventListener("input", typed);
  panel.addEventListener("change", left);
  panel.addEventListener("focusin", entered);
  panel.addEventListener("st-close", closed);
  return () => {
    back.stop();
    panel.removeEventListener("input", typed);
    panel.removeEventListener("change", left);
    panel.removeEventListener("focusin", entered);
    panel.removeEventListener("st-close", closed);
  };
}

function isField(target: unknown): target is Field {
  return target instanceof HTMLElement && target.localName === "st-field";
}

/** What is chosen elsewhere than in a form is done at once. */
function isFormSelect(target: unknown): target is Select {
  return target instanceof HTMLElement && target.localName === "st-select" &&
    target.closest("form, st-dialog") !== null;
}

/** False as long as there is no such choice: what there is to choose may come later. */
function chooseAgain(select: Select, value: string): boolean {
  if (select.value === value) return true;
  if (!select.options.some((one) => one.value === value)) return false;
  select.value = value;
  select.dispatchEvent(new Event("change", { bubbles: true, composed: true }));
  return true;
}

/** Whether the text counts only once a form is sent, or never: a search. */
function isOfForm(field: Field): boolean {
  return field.type === "search" || field.closest("form, st-dialog") !== null;
}
