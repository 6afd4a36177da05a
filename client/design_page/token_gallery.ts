import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement } from "lit";
import { customElement } from "lit/decorators.js";
import { cssOf, type DesignToken, propertyOf } from "#server/core/design_tokens.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import { shownTokens } from "./theme_store.ts";
import { w } from "./words.ts";

/** Every token as it looks in the theme that shows. */
@customElement("st-token-gallery")
export class TokenGallery extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      :host {
        display: grid;
        gap: var(--space-6);
      }
      h2 {
        margin: 0 0 var(--space-2);
        padding-bottom: var(--space-1);
        border-bottom: var(--size-hairline) solid var(--color-line);
        font-size: var(--size-text);
        font-weight: var(--font-weight-strong);
      }
      ul {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(100%, var(--size-tile)), 1fr));
        gap: var(--space-2) var(--space-4);
        margin: 0;
        padding: 0;
        list-style: none;
      }
      li {
        display: grid;
        grid-template-columns: var(--size-top-bar) minmax(0, 1fr);
        gap: var(--space-3);
        align-items: center;
        min-height: var(--size-top-bar);
      }
      .look {
        height: var(--size-row);
        overflow: hidden;
      }
      .swatch {
        border: var(--size-hairline) solid var(--color-line);
        border-radius: var(--radius-control);
      }
      .bar {
        height: var(--space-2);
        max-width: 100%;
        background: var(--color-text-quiet);
      }
      .box {
        height: var(--size-row);
        background: var(--color-raised);
        border: var(--size-hairline) solid var(--color-field-line);
      }
      code {
        color: var(--color-text-quiet);
        font: var(--font-weight-regular) var(--size-label) / 1.4 var(--font-mono);
      }
      .name {
        display: block;
      }
    `,
  ];

  override render() {
    const groups = Map.groupBy(shownTokens().values(), ({ path }) => path.slice(0, path.indexOf(".")));
    return [...groups].map(([group, tokens]) =>
      html`
        <section aria-labelledby=${`group-${group}`}>
          <h2 id=${`group-${group}`}>${group}</h2>
          <ul>${tokens.map((token) => line(token))}</ul>
        </section>
      `
    );
  }
}

function line(token: DesignToken) {
  return html`
    <li title=${token.description ?? ""}>
      ${look(token)}
      <span class="cut"><span class="name cut">${token.path}</span><code>${cssOf(token)}</code></span>
    </li>
  `;
}

function look({ path, type }: DesignToken) {
  const value = `var(${propertyOf(path)})`;
  if (type === "color") return html`<div class="look swatch" .style=${`background: ${value}`}></div>`;
  if (path.startsWith("radius.")) return html`<div class="box" .style=${`border-radius: ${value}`}></div>`;
  if (type === "shadow") return html`<div class="box" .style=${`box-shadow: ${value}`}></div>`;
  if (type === "dimension") return html`<div class="bar" .style=${`width: ${value}`}></div>`;
  if (type === "fontFamily") {
    return html`<div class="cut" .style=${`font-family: ${value}`}>${w("sample")}</div>`;
  }
  if (type === "fontWeight") return html`<div .style=${`font-weight: ${value}`}>Aa</div>`;
  return html`<div></div>`;
}
