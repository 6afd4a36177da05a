import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { Panel } from "#client/core/panels.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import type { Tabs } from "#client/ui/tabs.ts";
import "#client/ui/tabs.ts";
import "./element_gallery.ts";
import "./token_gallery.ts";
import { w } from "./words.ts";

/** The design system to look at: every element in every state, every token. */
@customElement("st-gallery-panel")
export class GalleryPanel extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      :host {
        display: block;
        height: 100%;
        min-height: 0;
      }
      st-tabs {
        height: 100%;
      }
      .page {
        padding: var(--space-4);
        max-width: 100%;
      }
    `,
  ];

  @property({ attribute: false })
  accessor panel: Panel | undefined;

  override render() {
    const tab = this.panel?.state.get<string>("tab", "elements") ?? "elements";
    return html`
      <h1 class="unseen">${w("gallery")}</h1>
      <st-tabs label=${w("gallery")} selected=${tab} .tabs=${[
        { id: "elements", label: w("elements") },
        { id: "tokens", label: w("tokens") },
      ]} @change=${(event: Event) => this.#turn(event)}>
        <div class="page">${tab === "tokens"
          ? html`<st-token-gallery></st-token-gallery>`
          : html`<st-element-gallery></st-element-gallery>`}</div>
      </st-tabs>
    `;
  }

  /** Tabs inside the gallery's own samples are none of its own. */
  #turn(event: Event): void {
    if (event.target === event.currentTarget) this.panel?.state.set("tab", (event.target as Tabs).selected);
  }
}
