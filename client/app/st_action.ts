import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { findCommand, isAllowed, runCommand } from "#client/core/commands.ts";
import "#client/ui/button.ts";
import "#client/ui/icon_button.ts";
import { keysOf } from "./keymap.ts";
import { w } from "./words.ts";

/**
 * A command as a button: its label, icon and key, hidden without the permission, and off with the reason where it
 * can't be done now. `<st-action command="clips.generate" .target=${clip} look="primary"></st-action>`
 */
@customElement("st-action")
export class StAction extends SignalWatcher(LitElement) {
  static override shadowRootOptions: ShadowRootInit = {
    ...LitElement.shadowRootOptions,
    delegatesFocus: true,
  };
  static override styles = css`
    :host {
      display: inline-flex;
      min-width: 0;
    }
    :host([hidden]) {
      display: none;
    }
    st-button {
      flex: 1;
      min-width: 0;
    }
    .brief {
      display: none;
    }
    @container panel (inline-size < 56rem) {
      .brief {
        display: inline-flex;
      }
      .brief + st-button {
        display: none;
      }
    }
  `;

  /** Id of the command. */
  @property()
  accessor command = "";
  /** What it is done to; without it, what is open or selected. */
  @property({ attribute: false })
  accessor target: unknown = undefined;
  @property()
  accessor look: "plain" | "primary" | "quiet" = "plain";
  /** Shows the icon only; the label stays as name and tooltip. */
  @property({ type: Boolean, attribute: "icon-only" })
  accessor isIconOnly = false;
  /** Shows the icon only where its panel is narrow. */
  @property({ type: Boolean })
  accessor yields = false;
  /** Another label than the command's own, where the button says more: "Plan 144 frames · 3 segments". */
  @property()
  accessor label: string | undefined = undefined;
  /** For the slim headers of areas. */
  @property({ type: Boolean })
  accessor small = false;
  @property({ type: Boolean, reflect: true })
  override accessor hidden = false;

  override render() {
    const command = findCommand(this.command);
    if (!command || !isAllowed(command)) return nothing;
    const isOff = !(command.when?.(this.target) ?? true);
    const label = this.label ?? command.label(this.target);
    const whyNot = isOff ? command.whyNot?.(this.target) ?? "" : "";
    const variant = command.isDanger && this.look !== "quiet" ? "danger" : this.look;
    const isOn = command.isOn?.(this.target);
    const keys = keysOf(command)[0] ?? "";
    const tip = command.isForGood ? w("isForGood") : "";
    const isBrief = (this.isIconOnly || this.yields) && command.icon;
    const brief = isBrief
      ? html`
        <st-icon-button class=${this.isIconOnly ? "" : "brief"} icon=${command.icon} label=${label}
          variant=${variant} keys=${keys} why-not=${whyNot} tip=${tip}
          ?small=${this.small} ?disabled=${isOff && whyNot === ""} .pressed=${isOn}
          @click=${this.#run}></st-icon-button>
      `
      : nothing;
    if (isBrief && this.isIconOnly) return brief;
    return html`
      ${brief}<st-button .icon=${command.icon} variant=${variant} keys=${keys} why-not=${whyNot}
        tip=${tip}
        ?disabled=${isOff && whyNot === ""} .pressed=${isOn} @click=${this.#run}>${label}</st-button>
    `;
  }

  protected override updated() {
    const command = findCommand(this.command);
    this.hidden = !command || !isAllowed(command);
  }

  readonly #run = () => void runCommand(this.command, this.target);
}
