import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { keyed } from "lit/directives/keyed.js";
import "#client/app/st_action.ts";
import type { Panel, PanelElement } from "#client/core/panels.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import "#client/ui/button.ts";
import "#client/ui/empty_state.ts";
import "#client/ui/error_state.ts";
import type { SelectEvent } from "#client/ui/list_events.ts";
import "#client/ui/skeleton.ts";
import "#client/ui/tree.ts";
import type { Tree } from "#client/ui/tree.ts";
import type { Block } from "./document.ts";
import { notePage, pageIn, turn } from "./open_page.ts";
import { findPage, type PageId, PAGES } from "./page_list.ts";
import { loadPages, pageTexts } from "./page_texts.ts";
import { linkTo, showLine } from "./span_view.ts";
import { title } from "./titles.ts";
import { w } from "./words.ts";

/** The manual: its pages as a list, and the one that is read. */
@customElement("st-help-panel")
export class HelpPanel extends SignalWatcher(LitElement) implements PanelElement {
  static override styles = [
    controlStyles,
    css`
      .frame {
        display: grid;
        grid-template-columns: minmax(0, var(--size-tile)) minmax(0, 1fr);
        grid-template-rows: minmax(0, 1fr);
        height: 100%;
        background: var(--color-ground);
      }
      nav {
        min-height: 0;
        padding-block: var(--space-2);
        background: var(--color-surface);
        border-inline-end: var(--size-hairline) solid var(--color-line);
      }
      .page {
        min-width: 0;
        overflow: auto;
        padding: var(--space-6) var(--space-8) var(--space-12);
      }
      .page:focus-visible {
        outline-offset: calc(-1 * var(--size-running-line));
      }
      article,
      .page > st-error,
      .page > st-skeleton {
        max-width: 70ch;
        font-size: var(--size-text-lead);
        line-height: 1.6;
      }
      h1 {
        margin: 0 0 var(--space-4);
        font-size: var(--size-title);
        font-weight: var(--font-weight-strong);
        line-height: 1.3;
      }
      h2 {
        margin: var(--space-8) 0 var(--space-2);
        font-size: var(--size-text-lead);
        font-weight: var(--font-weight-strong);
      }
      p,
      ul,
      ol,
      pre {
        margin: 0 0 var(--space-3);
      }
      ul,
      ol {
        padding-inline-start: var(--space-6);
      }
      li + li {
        margin-top: var(--space-1);
      }
      li::marker {
        color: var(--color-text-quiet);
      }
      p,
      li {
        overflow-wrap: break-word;
        text-wrap: pretty;
      }
      b {
        font-weight: var(--font-weight-medium);
      }
      a {
        color: var(--color-ion);
        text-underline-offset: var(--space-half);
      }
      a .icon {
        width: var(--size-mark);
        height: var(--size-mark);
        margin-inline-start: var(--space-half);
      }
      code,
      pre {
        font: var(--font-weight-regular) var(--size-text) / 1.6 var(--font-mono);
      }
      p code,
      li code {
        overflow-wrap: anywhere;
      }
      pre {
        padding: var(--space-3);
        overflow: auto;
        background: var(--color-surface);
        border-radius: var(--radius-control);
      }
      .keys {
        white-space: nowrap;
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        gap: var(--space-2);
        margin: var(--space-4) 0;
      }
      .next {
        margin: var(--space-8) 0 0;
        padding-top: var(--space-3);
        border-top: var(--size-hairline) solid var(--color-line);
      }
      /* Where there is no room beside, the list stands above what is read. */
      @container panel (width < 640px) {
        .frame {
          grid-template-columns: minmax(0, 1fr);
          grid-template-rows: minmax(0, 1fr) minmax(0, 3fr);
        }
        nav {
          border-inline-end: 0;
          border-bottom: var(--size-hairline) solid var(--color-line);
        }
        .page {
          padding: var(--space-4);
        }
      }
    `,
  ];

  @property({ attribute: false })
  accessor panel!: Panel;
  @query(".page")
  accessor page!: HTMLElement;
  @query("st-tree")
  accessor tree!: Tree;
  @state()
  accessor isUnread = false;
  #shown: string | undefined;
  readonly #turn = (id: PageId) => turn(this.panel.state, id);

  override render() {
    const id = pageIn(this.panel.state);
    return html`
      <div class="frame">
        <nav aria-label=${w("pages")}>
          <st-tree label=${w("pages")} selected=${id}
            .nodes=${PAGES.map(({ id, icon }) => ({ id, icon, label: title(id) }))}
            @st-select=${this.#select}></st-tree>
        </nav>
        <div class="page" tabindex="0" role="region" aria-label=${title("manual")}>${this.#content(id)}</div>
      </div>
    `;
  }

  #content(id: string) {
    const found = findPage(id);
    if (!found) {
      return html`
        <h1 class="unseen">${title("manual")}</h1>
        <st-empty icon="book" heading=${w("noPage")} text=${w("noPageText")}></st-empty>
      `;
    }
    const texts = pageTexts();
    if (!texts) {
      return this.isUnread ? this.#unread() : html`<st-skeleton shape="text" count="8"></st-skeleton>`;
    }
    const next = PAGES[PAGES.indexOf(found) + 1];
    // Keyed: a button of one page is no button of another, whatever it had then.
    return keyed(
      found.id,
      html`
        <article>
          <h1>${title(found.id)}</h1>
          ${texts[found.id].map((block) => this.#block(block))}
          ${next
            ? html`<p class="next">${linkTo(next.id, w("next", { page: title(next.id) }), this.#turn)}</p>`
            : nothing}
        </article>
      `,
    );
  }

  #block(block: Block) {
    const show = (line: Parameters<typeof showLine>[0]) => showLine(line, this.#turn);
    switch (block.kind) {
      case "heading":
        return html`<h2>${show(block.line)}</h2>`;
      case "paragraph":
        return html`<p>${show(block.line)}</p>`;
      case "list":
        return html`<ul>${block.lines.map((line) => html`<li>${show(line)}</li>`)}</ul>`;
      case "steps":
        return html`<ol>${block.lines.map((line) => html`<li>${show(line)}</li>`)}</ol>`;
      case "code":
        return html`<pre tabindex="0"><code>${block.text}</code></pre>`;
      case "actions":
        return html`
          <div class="actions">${block.commands.map((id) =>
            html`<st-action command=${id}></st-action>`
          )}</div>
        `;
    }
  }

  #unread() {
    return html`
      <st-error heading=${w("unread")} text=${w("unreadMend")}>
        <st-button @click=${() => void this.#load()}>${w("tryAgain")}</st-button>
      </st-error>
    `;
  }

  protected override willUpdate(): void {
    if (!pageTexts() && !this.isUnread) void this.#load();
  }

  protected override updated(): void {
    const id = findPage(pageIn(this.panel.state))?.id;
    if (id === undefined || id === this.#shown) return;
    // Another page begins at its top; the first one is where the shell puts it back.
    if (this.#shown !== undefined) this.page.scrollTop = 0;
    this.#shown = id;
    void this.tree.reveal(id);
    notePage(this.panel.state, id);
  }

  async #load(): Promise<void> {
    try {
      await loadPages();
      this.isUnread = false;
    } catch {
      this.isUnread = true;
    }
  }

  readonly #select = ({ ids }: SelectEvent) => {
    const page = findPage(ids[0]);
    // Walking down the list is no way that one would want to go back step by step.
    if (page) turn(this.panel.state, page.id, { replace: true });
  };

  /** Who comes here wants to read: the arrows scroll the page, and the list is one step back. */
  override focus(): void {
    // Asked for before anything is drawn, it would go to nothing.
    if (!this.hasUpdated) this.performUpdate();
    this.page.focus();
  }
}
