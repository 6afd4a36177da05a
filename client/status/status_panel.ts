import { html, LitElement } from "lit";
import { customElement, property } from "lit/decorators.js";
import { live } from "#client/core/live.ts";
import type { Panel } from "#client/core/panels.ts";
import "./status_page.ts";

/** The status page as a panel of the dock. */
@customElement("st-status-panel")
export class StatusPanel extends LitElement {
  @property({ attribute: false })
  accessor panel: Panel | undefined = undefined;

  override render() {
    return html`<st-status-page .live=${live}></st-status-page>`;
  }
}
