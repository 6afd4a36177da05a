import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { cssColour } from "#server/core/colour.ts";
import type { MeasuredPair } from "#server/core/contrast.ts";
import { colourAt, type DesignToken } from "#server/core/design_tokens.ts";
import "#client/app/st_action.ts";
import { theme } from "#client/app/theme.ts";
import { changeTheme } from "#client/app/theme_choice.ts";
import { locale } from "#client/core/words.ts";
import type { Panel } from "#client/core/panels.ts";
import { type ThemeName, THEMES } from "#client/design/tokens.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import type { SelectEvent } from "#client/ui/list_events.ts";
import type { Tree, TreeNode } from "#client/ui/tree.ts";
import "#client/ui/badge.ts";
import "#client/ui/empty_state.ts";
import "#client/ui/select.ts";
import "#client/ui/state_mark.ts";
import "#client/ui/tree.ts";
import { openThemeEditing } from "./theme_editing.ts";
import { themeLabel } from "./theme_names.ts";
import * as store from "./theme_store.ts";
import type { TokenEvent } from "./token_field.ts";
import "./token_field.ts";
import { w } from "./words.ts";

/** The editor of the studio's theme: every token live, with the contrast of every pair that it is part of. */
@customElement("st-theme-panel")
export class ThemePanel extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      :host {
        display: flex;
        flex-direction: column;
        height: 100%;
        min-height: 0;
        container-type: inline-size;
      }
      .bar {
        display: flex;
        flex-wrap: wrap;
        gap: var(--space-2);
        align-items: center;
        padding: var(--space-2) var(--space-3);
        border-bottom: var(--size-hairline) solid var(--color-line);
      }
      .bar st-select {
        flex: 1 1 18ch;
      }
      .tree {
        position: relative;
        flex: 1 1 0;
        min-height: var(--size-tile);
        border-bottom: var(--size-hairline) solid var(--color-line);
      }
      .tree st-tree {
        position: absolute;
        inset: 0;
      }
      .detail {
        flex: 1.4 1 0;
        min-height: 0;
        overflow: auto;
        padding: var(--space-3);
      }
      h3 {
        margin: var(--space-4) 0 var(--space-1);
        font-size: var(--size-text-small);
        font-weight: var(--font-weight-medium);
        color: var(--color-text-quiet);
      }
      ul {
        display: grid;
        gap: var(--space-1);
        margin: 0;
        padding: 0;
        list-style: none;
      }
      li {
        display: flex;
        align-items: center;
        gap: var(--space-2);
        font-size: var(--size-text-small);
        min-width: 0;
      }
      .sample {
        flex: none;
        display: grid;
        place-content: center;
        width: var(--size-top-bar);
        height: var(--size-control-small);
        border: var(--size-hairline) solid var(--color-line);
        border-radius: var(--radius-control);
        font-weight: var(--font-weight-medium);
      }
      .pair {
        flex: 1;
      }
      .ratio {
        font-variant-numeric: tabular-nums;
        white-space: nowrap;
      }
      .fault {
        margin: 0 0 var(--space-3);
        padding-inline-start: var(--space-2);
        border-inline-start: var(--size-running-line) solid var(--color-ember);
        overflow-wrap: anywhere;
      }
      .state {
        display: flex;
        align-items: center;
        gap: var(--space-2);
        color: var(--color-text-quiet);
        font-size: var(--size-text-small);
      }
    `,
  ];

  @property({ attribute: false })
  accessor panel: Panel | undefined;
  #stop: (() => void) | undefined;

  override connectedCallback() {
    super.connectedCallback();
    openThemeEditing(store);
    this.#stop = store.followDraft();
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    openThemeEditing(undefined);
    this.#stop?.();
  }

  override render() {
    const tokens = store.shownTokens();
    const path = this.panel?.state.get("token", "color.ion") ?? "color.ion";
    const expanded = new Set(this.panel?.state.get<readonly string[]>("expanded", ["color"]) ?? ["color"]);
    return html`
      <div class="bar">
        <st-select label=${w("theme")} label-unseen value=${theme()} .options=${THEMES.map((name) => ({
          value: name,
          label: themeLabel(name),
        }))} @change=${this.#changeTheme}></st-select>
        <st-action command="design.import" icon-only look="quiet"></st-action>
        <st-action command="design.export" icon-only look="quiet"></st-action>
        <st-action command="design.discard" icon-only look="quiet"></st-action>
        <st-action command="design.save" look="primary"></st-action>
        ${this.#state()}
      </div>
      <div class="tree">
        <st-tree label=${w("tokens")} .nodes=${nodesOf(tokens, store.changedPaths())}
          .expanded=${expanded} selected=${this.panel?.state.get("line", path) ?? path} @st-select=${this
            .#select} @st-expand=${() => this.#keepExpanded()}></st-tree>
      </div>
      <div class="detail" @st-token=${this.#change}>
        ${store.tokenFaults().map(({ path, problem }) =>
          html`<p class="fault" role="alert">${path} ${problem}</p>`
        )}
        <st-token-field .token=${tokens.get(path) ?? store.plainToken(path)} .plain=${store.plainToken(path)}
          .colour=${colourAt(tokens, path)}></st-token-field>
        ${this.#pairs(path, tokens)}
      </div>
    `;
  }

  #state() {
    const hard = store.unreadablePairs().length;
    return html`<span class="state" role="status">
      <st-state-mark state=${hard > 0 ? "attention" : "good"}></st-state-mark>
      ${hard > 0 ? w("unreadable", { n: hard }) : w("allReadable")}
      ${store.hasDraft() ? html`· ${w("draftNote")}` : nothing}
    </span>`;
  }

  #pairs(path: string, tokens: ReadonlyMap<string, DesignToken>) {
    const mine = store.shownPairs().filter(({ text, ground, tint }) =>
      text === path || ground === path || tint?.colour === path
    );
    if (mine.length === 0) return nothing;
    const worst = mine.toSorted((one, other) => one.ratio / one.needed - other.ratio / other.needed);
    return html`
      <h3>${w("contrast")}</h3>
      <ul>${worst.map((pair) => pairLine(pair, tokens))}</ul>
    `;
  }

  readonly #changeTheme = (event: Event) => {
    const chosen = THEMES.find((name) =>
      event.target instanceof HTMLElement && "value" in event.target &&
      event.target.value === name
    );
    if (chosen) changeTheme(chosen satisfies ThemeName, w("useTheme", { theme: themeLabel(chosen) }));
  };

  readonly #select = ({ ids: [id] }: SelectEvent) => {
    if (id === undefined) return;
    this.panel?.state.set("line", id);
    if (store.plainToken(id) !== undefined) this.panel?.state.set("token", id);
  };

  #keepExpanded(): void {
    const tree = this.renderRoot.querySelector<Tree>("st-tree");
    if (tree) this.panel?.state.set("expanded", [...tree.expanded]);
  }

  readonly #change = ({ path, value }: TokenEvent) => store.changeToken(path, value);
}

function pairLine(
  { text, ground, tint, ratio, needed }: MeasuredPair,
  tokens: ReadonlyMap<string, DesignToken>,
) {
  const [front, back] = [colourAt(tokens, text), colourAt(tokens, ground)];
  if (!front || !back) return nothing;
  const below = cssColour(back);
  const paint = tint
    ? `color-mix(in oklab, var(--${tint.colour.replace(".", "-")}) ${tint.share * 100}%, ${below})`
    : below;
  const name = (path: string) => path.replace("color.", "");
  const on = tint ? `${name(ground)} + ${tint.share * 100} % ${name(tint.colour)}` : name(ground);
  const say = (value: number) => value.toLocaleString(locale(), { maximumFractionDigits: 2 });
  return html`
    <li>
      <span class="sample" aria-hidden="true" .style=${`color: ${
        cssColour(front)
      }; background: ${paint}`}>Aa</span>
      <span class="pair cut">${w("contrastOn", { text: name(text), ground: on })}</span>
      <span class="ratio">${w("needs", { ratio: say(ratio), needed: say(needed) })}</span>
      <st-state-mark state=${ratio >= needed ? "good" : "failed"}></st-state-mark>
    </li>
  `;
}

function nodesOf(tokens: ReadonlyMap<string, DesignToken>, changed: readonly string[]): readonly TreeNode[] {
  const groups = Map.groupBy(tokens.values(), ({ path }) => path.slice(0, path.indexOf(".")));
  return [...groups].map(([group, members]) => ({
    id: group,
    label: group,
    detail: String(members.length),
    children: members.map(({ path }) => ({
      id: path,
      label: path.slice(group.length + 1),
      detail: changed.includes(path) ? w("changed") : undefined,
    })),
  }));
}
