import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { type Colour, cssColour, fromHex, toHex } from "#server/core/colour.ts";
import { aliasOf, type DesignToken } from "#server/core/design_tokens.ts";
import "#client/app/st_action.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import type { Slider } from "#client/ui/slider.ts";
import "#client/ui/field.ts";
import "#client/ui/slider.ts";
import { w } from "./words.ts";

/** A token is to have another value. */
export class TokenEvent extends Event {
  static readonly type = "st-token";
  constructor(readonly path: string, readonly value: unknown) {
    super(TokenEvent.type, { bubbles: true, composed: true });
  }
}

/** The value of one token, to be changed: sliders for a colour, a number with its unit, else text. Sends st-token. */
@customElement("st-token-field")
export class TokenField extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      :host {
        display: grid;
        gap: var(--space-2);
      }
      .head {
        display: flex;
        align-items: center;
        gap: var(--space-2);
      }
      .name {
        flex: 1;
        font-weight: var(--font-weight-medium);
      }
      .about {
        margin: 0;
        color: var(--color-text-quiet);
        font-size: var(--size-text-small);
      }
      code {
        font: var(--font-weight-regular) var(--size-text-small) / 1.5 var(--font-mono);
        color: var(--color-text-quiet);
      }
      input[type="color"] {
        flex: none;
        width: var(--size-control);
        height: var(--size-control);
        padding: 0;
        border: var(--size-hairline) solid var(--color-field-line);
        border-radius: var(--radius-control);
        background: none;
        cursor: pointer;
      }
      input[type="color"]::-webkit-color-swatch-wrapper {
        padding: 0;
      }
      input[type="color"]::-webkit-color-swatch {
        border: 0;
        border-radius: var(--radius-control);
      }
    `,
  ];

  @property({ attribute: false })
  accessor token: DesignToken | undefined;
  /** As it comes: what a double click on a slider puts back. */
  @property({ attribute: false })
  accessor plain: DesignToken | undefined;
  /** What it comes to where it refers to another token. */
  @property({ attribute: false })
  accessor colour: Colour | undefined;

  override render() {
    const { token } = this;
    if (!token) return nothing;
    const target = aliasOf(token.value);
    return html`
      <div class="head">
        ${this.colour ? this.#swatch(token.path, this.colour) : nothing}
        <span class="name cut">${token.path}</span>
        <st-action command="design.reset_token" icon-only look="quiet" .target=${token.path}></st-action>
      </div>
      ${token.description ? html`<p class="about">${token.description}</p>` : nothing}
      ${target === undefined ? nothing : html`<p class="about">${w("refers", { token: target })}</p>`}
      ${this.colour ? this.#sliders(token.path, this.colour) : this.#value(token)}
    `;
  }

  #swatch(path: string, colour: Colour) {
    return html`
      <input type="color" aria-label=${w("pick", { token: path })} .value=${toHex(colour)}
        @input=${(event: Event) => {
          if (event.target instanceof HTMLInputElement) this.#send({ ...fromHex(event.target.value) });
        }}>
    `;
  }

  #sliders(path: string, given: Colour) {
    const colour = given.colorSpace === "oklch" ? given : fromHex(toHex(given));
    const before = this.plain?.value;
    const plain = typeof before === "object" && before !== null && "components" in before
      ? before as Colour // A colour token's own value.
      : undefined;
    const parts = [
      [w("lightness"), 1, 0.005],
      [w("chroma"), 0.4, 0.002],
      [w("hue"), 360, 1],
    ] as const;
    return html`
      ${parts.map(([label, max, step], at) =>
        html`
          <st-slider label=${label} min="0" max=${max} step=${step} .value=${colour.components[at] ?? 0}
            .initial=${plain?.components[at]} @input=${(event: Event) => {
              const components = colour.components.map((one, index) =>
                index === at ? (event.currentTarget as Slider).value : one // Who sends it.
              );
              this.#send({ ...colour, components });
            }}></st-slider>
        `
      )}
      <code data-path=${path}>${cssColour(colour)}</code>
    `;
  }

  #value({ type, value }: DesignToken) {
    const isAmount = typeof value === "object" && value !== null && "unit" in value && "value" in value;
    if (isAmount) {
      const { value: number, unit } = value as { readonly value: number; readonly unit: string }; // As just seen.
      return html`
        <st-field label=${w("value")} type="number" step="any" value=${number} unit=${unit}
          @change=${(event: Event) => this.#send({ value: Number(valueOf(event)), unit })}></st-field>
      `;
    }
    if (type === "number" || type === "fontWeight") {
      return html`
        <st-field label=${w("value")} type="number" step="any" value=${String(value)}
          @change=${(event: Event) => this.#send(Number(valueOf(event)))}></st-field>
      `;
    }
    if (type === "fontFamily") {
      const names = Array.isArray(value) ? value.join(", ") : String(value);
      return html`<st-field label=${w("value")} value=${names} @change=${(event: Event) =>
        this.#send(valueOf(event).split(",").map((name) => name.trim()).filter(Boolean))}></st-field>`;
    }
    return html`
      <st-field label=${w("value")} mono rows="4" value=${JSON.stringify(value, null, 1)}
        @change=${(event: Event) => this.#send(parse(valueOf(event)))}></st-field>
    `;
  }

  #send(value: unknown): void {
    if (this.token) this.dispatchEvent(new TokenEvent(this.token.path, value));
  }
}

function valueOf(event: Event): string {
  return event.target instanceof HTMLElement && "value" in event.target ? String(event.target.value) : "";
}

/** Half-written JSON is a fault like any other: the reader of tokens names it. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
