/** Crosses into a shadow root. */
const SHADOW = "#";

/**
 * Where an element stands within `root`, through shadow roots: "#/div.0/st-table.0/#/div.1". The same page drawn
 * anew has the same element there. "" is `root` itself.
 */
export function pathWithin(root: Element, element: Element): string | undefined {
  const steps: string[] = [];
  for (let at: Element = element; at !== root;) {
    const parent: ParentNode | null = at.parentNode;
    if (!parent) return undefined;
    const alike = [...parent.children].filter(({ localName }) => localName === at.localName);
    steps.unshift(`${at.localName}.${alike.indexOf(at)}`);
    if (parent instanceof ShadowRoot) steps.unshift(SHADOW);
    const next = parent instanceof ShadowRoot ? parent.host : parent;
    if (!(next instanceof Element)) return undefined;
    at = next;
  }
  return steps.join("/");
}

/** The element that stands there now. */
export function findByPath(root: Element, path: string): Element | undefined {
  let at: Element | ShadowRoot = root;
  for (const step of path === "" ? [] : path.split("/")) {
    const [name, index] = step.split(".");
    const next: Element | ShadowRoot | null | undefined = step === SHADOW
      ? at instanceof Element ? at.shadowRoot : undefined
      : [...at.children].filter(({ localName }) => localName === name)[Number(index)];
    if (!next) return undefined;
    at = next;
  }
  return at instanceof Element ? at : undefined;
}
