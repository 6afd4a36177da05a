import { css, html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { session } from "#client/auth/session_store.ts";
import type { JobProgress } from "#client/core/live.ts";
import { formStyles } from "#client/ui/form_styles.ts";
import { icon } from "#client/ui/icons.ts";
import "#client/app/st_action.ts";
import "#client/ui/empty_state.ts";
import "#client/ui/state_mark.ts";
import "./finals_strip.ts";
import "./job_list.ts";
import "./machine_list.ts";
import { type Finding, isUnread, NOTHING_READ, type StatusFacts, summarise } from "./status_facts.ts";
import { w } from "./words.ts";

/** How the studio is: first in a sentence, then in detail. Shows what it is given. */
@customElement("st-status-board")
export class StatusBoard extends LitElement {
  static override styles = [
    formStyles,
    css`
      :host {
        display: block;
        container-type: inline-size;
        padding: var(--space-6) var(--space-6) var(--space-8);
      }
      .health {
        display: grid;
        gap: var(--space-3);
        padding-bottom: var(--space-6);
      }
      h1 {
        display: flex;
        align-items: center;
        gap: var(--space-3);
        margin: 0;
        font-size: var(--size-title);
        font-weight: var(--font-weight-strong);
        letter-spacing: -0.01em;
        line-height: 1.3;
      }
      ul {
        display: grid;
        gap: var(--space-1);
        margin: 0;
        padding: 0;
        list-style: none;
      }
      li {
        display: grid;
        grid-template-columns: var(--size-mark) minmax(0, 1fr);
        column-gap: var(--space-3);
      }
      li st-state-mark {
        margin-top: var(--space-1);
      }
      li p {
        margin: 0;
        overflow-wrap: anywhere;
      }
      .mend {
        color: var(--color-text-quiet);
      }
      .areas {
        display: grid;
        gap: var(--space-8);
        align-items: start;
      }
      .areas > * {
        min-width: 0;
      }
      .work {
        display: grid;
        gap: var(--space-8);
        align-items: start;
      }
      nav {
        display: flex;
        flex-wrap: wrap;
        gap: var(--space-2);
        margin: var(--space-6) 0 0 calc(-1 * var(--space-3));
      }
      @container (width >= 60rem) {
        .areas {
          grid-template-columns: minmax(0, 1fr) var(--size-side);
          column-gap: var(--space-12);
        }
      }
      @container (width >= 110rem) {
        .work.two {
          grid-template-columns: minmax(0, 1fr) minmax(0, 1fr);
          column-gap: var(--space-12);
        }
      }
      @media (width < 40rem) {
        :host {
          padding: var(--space-4);
        }
      }
    `,
  ];

  @property({ attribute: false })
  accessor facts: StatusFacts = NOTHING_READ;
  @property({ attribute: false })
  accessor progress: ReadonlyMap<string, JobProgress> = new Map();
  @property({ attribute: false })
  accessor previews: ReadonlyMap<string, string> = new Map();
  @property({ type: Number })
  accessor now = 0;

  override render() {
    const { facts, now } = this;
    const { state, sentence, findings } = summarise(facts);
    const isEmpty = facts.projects.size === 0 && facts.running.length + facts.failed.length === 0;
    const health = html`
      <section class="health" aria-label=${w("health")}>
        <div role="status"><h1><st-state-mark state=${state}></st-state-mark>${sentence}</h1></div>
        ${findings.length === 0
          ? nothing
          : html`<ul>${findings.map((finding) => this.#finding(finding))}</ul>`}
      </section>
    `;
    // Lists that are empty because nobody could read them would say that nothing is there.
    if (isUnread(facts)) return health;
    return html`
      ${health}
      <div class="areas">
        <div class=${isEmpty ? "work" : "work two"}>
          ${isEmpty
            ? html`
              <st-empty icon="sparkles" heading=${w("first")} text="${w(
                session.may("project.create") ? "firstText" : "firstLook",
              )}.">
                <st-action command="first_run.sample" look="primary"></st-action>
              </st-empty>
            `
            : nothing}
          <st-job-list .facts=${facts} .progress=${this.progress} .previews=${this
            .previews} .now=${now}></st-job-list>
          ${isEmpty ? nothing : html`<st-finals-strip .facts=${facts} .now=${now}></st-finals-strip>`}
        </div>
        <div>
          <st-machine-list .facts=${facts} .now=${now}></st-machine-list>
          <nav aria-label=${w("more")}>
            <a class="button quiet" href="/api/docs">${icon("book")}${w("apiDocs")}</a>
          </nav>
        </div>
      </div>
    `;
  }

  #finding({ state, text, mend }: Finding) {
    return html`
      <li>
        <st-state-mark state=${state}></st-state-mark>
        <p>${ended(text)} <span class="mend">${ended(mend)}</span></p>
      </li>
    `;
  }
}

/** As a sentence; what a worker said may be one already, or a question. */
function ended(text: string): string {
  return /[.?!…]$/.test(text) ? text : `${text}.`;
}
