import type { PageId } from "./page_list.ts";

/** What stands within a line. */
export type Span =
  | string
  /** The keys of a command as one has bound them; its name where it has none. */
  | { readonly kind: "keys"; readonly command: string }
  /** A command's name in the reader's language, with its keys. */
  | { readonly kind: "command"; readonly command: string }
  | { readonly kind: "page"; readonly page: PageId }
  /** An address of the studio that is no screen of it: it opens beside. */
  | { readonly kind: "address"; readonly path: string }
  | { readonly kind: "code"; readonly text: string };

export type Line = readonly Span[];

/** A part of a page, from top to bottom. */
export type Block =
  | { readonly kind: "heading"; readonly line: Line }
  | { readonly kind: "paragraph"; readonly line: Line }
  | { readonly kind: "list" | "steps"; readonly lines: readonly Line[] }
  | { readonly kind: "code"; readonly text: string }
  /** Buttons that run what the page tells of. */
  | { readonly kind: "actions"; readonly commands: readonly string[] };

/** All pages in one language. */
export type Pages = Readonly<Record<PageId, readonly Block[]>>;

/** A line: t`Press ${keys("clips.generate")} to begin`. */
export function t(texts: TemplateStringsArray, ...spans: readonly Span[]): Line {
  return texts.flatMap((text, at) => [text, spans[at] ?? ""]).filter((span) => span !== "");
}

export function p(texts: TemplateStringsArray, ...spans: readonly Span[]): Block {
  return { kind: "paragraph", line: t(texts, ...spans) };
}

export function h(texts: TemplateStringsArray, ...spans: readonly Span[]): Block {
  return { kind: "heading", line: t(texts, ...spans) };
}

export const list = (...lines: readonly Line[]): Block => ({ kind: "list", lines });
export const steps = (...lines: readonly Line[]): Block => ({ kind: "steps", lines });
export const lines = (...texts: readonly string[]): Block => ({ kind: "code", text: texts.join("\n") });
export const actions = (...commands: readonly string[]): Block => ({ kind: "actions", commands });

export const keys = (command: string): Span => ({ kind: "keys", command });
export const act = (command: string): Span => ({ kind: "command", command });
export const see = (page: PageId): Span => ({ kind: "page", page });
export const at = (path: string): Span => ({ kind: "address", path });
export const code = (text: string): Span => ({ kind: "code", text });

/** Every span of a page, wherever it stands. */
export function spansOf(page: readonly Block[]): Span[] {
  return page.flatMap((block) =>
    block.kind === "heading" || block.kind === "paragraph"
      ? block.line
      : block.kind === "list" || block.kind === "steps"
      ? block.lines.flat()
      : []
  );
}
