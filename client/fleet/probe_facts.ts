import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { formatBytes } from "#client/core/format.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import "#client/ui/state_mark.ts";
import { isOpened, keepOpened } from "./opened.ts";
import { w } from "./words.ts";

/** What one workflow needs and the worker lacks. */
export interface Ability {
  readonly title: string;
  readonly isAble: boolean;
  readonly missing: readonly string[];
}

export interface ProbeFacts {
  readonly isReachable: boolean;
  readonly heading: string;
  readonly problem: string | null;
  readonly devices: readonly { readonly name: string; readonly vramTotalBytes: number | null }[];
  readonly abilities: readonly Ability[];
}

/** What a look at a worker gave: what it is, and everything that is missing, at once. */
@customElement("st-probe-facts")
export class ProbeFactsView extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      :host {
        display: grid;
        gap: var(--space-2);
      }
      p {
        margin: 0;
        overflow-wrap: anywhere;
      }
      .head {
        display: flex;
        gap: var(--space-2);
        align-items: center;
        font-weight: var(--font-weight-medium);
      }
      .quiet {
        color: var(--color-text-quiet);
      }
      ul {
        display: grid;
        gap: var(--space-2);
        margin: 0;
        padding: 0;
        list-style: none;
      }
      summary {
        display: flex;
        gap: var(--space-2);
        align-items: center;
        cursor: pointer;
        border-radius: var(--radius-control);
      }
      summary .title {
        flex: 1;
      }
      summary .quiet {
        flex: none;
        font-size: var(--size-text-small);
      }
      summary:hover .quiet {
        color: var(--color-text);
      }
      .title {
        display: flex;
        gap: var(--space-2);
        align-items: center;
        min-width: 0;
      }
      li ul {
        gap: 0;
        padding-inline-start: calc(var(--size-mark) + var(--space-2));
        color: var(--color-text-quiet);
        font-size: var(--size-text-small);
      }
      li li {
        overflow-wrap: anywhere;
      }
    `,
  ];

  @property({ attribute: false })
  accessor facts: ProbeFacts | undefined;
  /** What is missing shows at once, not only when one asks. */
  @property({ type: Boolean })
  accessor open = false;

  override render() {
    if (!this.facts) return nothing;
    const { isReachable, heading, problem, devices, abilities } = this.facts;
    const able = abilities.filter(({ isAble }) => isAble).length;
    const total = abilities.length;
    return html`
      ${heading
        ? html`<p class="head"><st-state-mark state=${
          isReachable ? "good" : "failed"
        }></st-state-mark>${heading}</p>`
        : nothing}
      ${problem ? html`<p class="quiet">${problem}</p>` : nothing}
      ${devices.map(({ name, vramTotalBytes }) =>
        html`<p class="quiet">${
          vramTotalBytes === null ? name : w("device", { name, memory: formatBytes(vramTotalBytes) })
        }</p>`
      )}
      ${!isReachable
        ? nothing
        : html`<p>${
          total === 0
            ? w("noWorkflows")
            : able === total
            ? w("runsAll", { n: total })
            : w("runsSome", { able, total })
        }</p>`}
      <ul>${[...abilities].sort((one, other) => Number(one.isAble) - Number(other.isAble)).map((ability) =>
        html`
          <li>${ability.isAble ? title(ability) : html`
            <details ?open=${this.open || isOpened(ability.title)} @toggle=${this.open
              ? nothing
              : keepOpened(ability.title)}>
              <summary>${title(ability)}<span class="quiet">${w("lacks", {
                n: ability.missing.length,
              })}</span></summary>
              <ul>${ability.missing.map((one) => html`<li>${one}</li>`)}</ul>
            </details>
          `}
          </li>
        `
      )}</ul>
    `;
  }
}

function title(ability: Ability) {
  return html`<span class="title"><st-state-mark state=${
    ability.isAble ? "good" : "attention"
  }></st-state-mark>
    <span class="cut" title=${ability.title}>${ability.title}</span></span>`;
}
