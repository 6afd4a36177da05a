import { html, type TemplateResult } from "lit";
import { keysOf } from "#client/app/keymap.ts";
import { findCommand } from "#client/core/commands.ts";
import { addressOf } from "#client/core/place.ts";
import { language, pseudo } from "#client/core/words.ts";
import { icon } from "#client/ui/icons.ts";
import "#client/ui/kbd.ts";
import type { Line, Span } from "./document.ts";
import type { PageId } from "./page_list.ts";
import { title } from "./titles.ts";
import { w } from "./words.ts";

/** A line as it reads now, in the reader's language and with the keys as they are bound: for render(). */
export function showLine(line: Line, turn: (page: PageId) => void): unknown[] {
  return line.map((span, at) => {
    const before = line[at - 1];
    if (typeof span !== "string") return showSpan(span, turn, stopOf(line[at + 1]));
    const text = hasKeys(before) ? span.slice(stopOf(span).length) : span;
    return language() === "pseudo" ? pseudo(text) : text;
  });
}

/** What ends or divides the sentence right behind a key: alone in the next line it would look lost. */
function stopOf(next: Span | undefined): string {
  return typeof next === "string" ? /^[.,;:!?)]*/.exec(next)?.[0] ?? "" : "";
}

function hasKeys(span: Span | undefined): boolean {
  return typeof span === "object" && (span.kind === "keys" || span.kind === "command");
}

function showSpan(span: Exclude<Span, string>, turn: (page: PageId) => void, stop: string): TemplateResult {
  switch (span.kind) {
    case "keys":
      return showKeys(span.command, stop) ?? html`${nameOf(span.command)}${stop}`;
    case "command": {
      const keys = showKeys(span.command, stop);
      return keys ? html`${nameOf(span.command)} ${keys}` : html`${nameOf(span.command)}${stop}`;
    }
    case "page":
      return linkTo(span.page, title(span.page), turn);
    case "address":
      // In pieces, since a space between them would be underlined.
      return html`<a href=${span.path} target="_blank" rel="noopener">${[
        html`<code>${span.path}</code>`,
        icon("externalLink"),
        html`<span class="unseen"> (${w("opensBeside")})</span>`,
      ]}</a>`;
    case "code":
      return html`<code>${span.text}</code>`;
  }
}

/** A page's own address, so that it opens in a new tab where that is asked for; a mere click turns to it here. */
export function linkTo(page: PageId, text: string, turn: (page: PageId) => void): TemplateResult {
  const follow = (event: MouseEvent) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    turn(page);
  };
  return html`<a href=${addressOf({ entity: { kind: "help", id: page } })} @click=${follow}>${text}</a>`;
}

function showKeys(commandId: string, stop: string): TemplateResult | undefined {
  const command = findCommand(commandId);
  const keys = command && keysOf(command)[0];
  return keys === undefined
    ? undefined
    : html`<span class="keys">${[html`<st-kbd keys=${keys}></st-kbd>`, stop]}</span>`;
}

function nameOf(commandId: string): TemplateResult {
  return html`<b>${findCommand(commandId)?.label() ?? commandId}</b>`;
}
