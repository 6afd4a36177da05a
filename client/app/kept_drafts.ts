import type { PanelState } from "#client/core/panels.ts";
import { entity } from "#client/core/place.ts";
import type { Field } from "#client/ui/field.ts";
import { findByPath, pathWithin } from "./element_path.ts";
import { putBack } from "./put_back.ts";

const KEY = "drafts";

/** Open thing and path within the panel → what stands in the field. */
type Drafts = Readonly<Record<string, string>>;

/**
 * Remembers what is being typed into a panel's fields until it is sent, and types it again where the panel shows
 * anew: a form's texts while the form is open, a setting's until it is left, a search as long as it is there.
 * Passwords are never kept. Returns its end.
 */
export function keepDrafts(panel: HTMLElement, state: PanelState): () => void {
  const open = () => entity()?.id ?? "";
  const forget = (keys: readonly string[]) => {
    const drafts = state.get<Drafts>(KEY, {});
    if (!keys.some((key) => key in drafts)) return;
    state.set(KEY, Object.fromEntries(Object.entries(drafts).filter(([key]) => !keys.includes(key))));
  };
  const back = putBack(panel, state.get<Drafts>(KEY, {}), (key, text) => {
    const [thing = "", path = ""] = key.split(" ");
    const field = thing === open() ? findByPath(panel, path) : undefined;
    if (!isField(field) || field.value === text) return isField(field);
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
    // Nothing is typed any more that the browser could tell of when it is left.
    if (!isOfForm(field)) field.addEventListener("focusout", () => sendDraft(field), { once: true });
    return true;
  }, forget);
  const sendDraft = (field: Field) => {
    const key = keyOf(field);
    if (key !== undefined && key in state.get<Drafts>(KEY, {})) {
      field.dispatchEvent(new Event("change", { bubbles: true, composed: true }));
    }
  };
  const keyOf = (field: Field) => {
    const path = pathWithin(panel, field);
    return path === undefined ? undefined : `${open()} ${path}`;
  };
  const fieldOf = (event: Event) => event.composedPath().find(isField);
  const typed = (event: Event) => {
    const field = fieldOf(event);
    const key = field && keyOf(field);
    if (!field || key === undefined || field.type === "password") return;
    if (field.value === "") forget([key]);
    else state.set(KEY, { ...state.get<Drafts>(KEY, {}), [key]: field.value });
  };
  const left = (event: Event) => {
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
  panel.addEventListener("input", typed);
  panel.addEventListener("change", left);
  panel.addEventListener("focusin", entered);
  return () => {
    back.stop();
    panel.removeEventListener("input", typed);
    panel.removeEventListener("change", left);
    panel.removeEventListener("focusin", entered);
  };
}

function isField(target: unknown): target is Field {
  return target instanceof HTMLElement && target.localName === "st-field";
}

/** Whether the text counts only once a form is sent, or never: a search. */
function isOfForm(field: Field): boolean {
  return field.type === "search" || field.closest("form, st-dialog") !== null;
}
