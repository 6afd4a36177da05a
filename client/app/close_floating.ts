/**
 * Closes whatever floats over the page when one goes back or forward in the browser: a dialog is no place of its own,
 * so Back leaves it and the place together. What was typed into a panel's form is kept with the panel.
 */
export function closeFloatingOnBack(): () => void {
  addEventListener("popstate", closeFloating);
  return () => removeEventListener("popstate", closeFloating);
}

function closeFloating(): void {
  for (const element of elementsOf(document)) {
    if (element instanceof HTMLDialogElement && element.open) element.close();
    else if (element.matches("[popover]:popover-open")) element.hidePopover();
  }
}

function* elementsOf(root: ParentNode): Generator<HTMLElement> {
  for (const element of root.querySelectorAll<HTMLElement>("*")) {
    yield element;
    if (element.shadowRoot) yield* elementsOf(element.shadowRoot);
  }
}
