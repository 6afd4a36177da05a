import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement } from "lit/decorators.js";
import { findCommand, runCommand } from "#client/core/commands.ts";
import { type SaveState, workspace } from "#client/core/workspace.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import type { PickEvent } from "#client/ui/list_events.ts";
import "#client/ui/menu.ts";
import type { MenuItem } from "#client/ui/menu.ts";
import "#client/ui/state_mark.ts";
import type { State } from "#client/ui/state_mark.ts";
import { workspaceAsk } from "./workspace_commands.ts";
import { w } from "./words.ts";

const MARKS: Readonly<Record<SaveState, State>> = {
  opening: "waiting",
  saved: "good",
  saving: "waiting",
  unsaved: "attention",
};
const OWN = ["workspace.create", "workspace.rename", "workspace.remove"] as const;

/** The open workspace and whether the studio has it all; its menu chooses, makes, renames and removes. */
@customElement("st-workspace-mark")
export class WorkspaceMark extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      button {
        display: inline-flex;
        align-items: center;
        gap: var(--space-1);
        height: var(--size-control-small);
        padding: 0 var(--space-1);
        border: 0;
        background: none;
        color: inherit;
        font-size: inherit;
        cursor: pointer;
      }
      button:hover,
      button[aria-expanded="true"] {
        color: var(--color-text);
      }
      button:focus-visible {
        outline-offset: calc(-1 * var(--size-running-line));
      }
      .cut {
        max-width: 24ch;
      }
    `,
  ];

  override render() {
    const { state, current } = workspace;
    const name = current?.name ?? w("workspace");
    const ask = workspaceAsk();
    if (ask) void import("./workspace_form.ts");
    return html`
      <st-menu .items=${items()} label=${w("workspaces")}
        @st-pick=${({ itemId }: PickEvent) => void runCommand(itemId)}>
        <button slot="trigger" type="button" aria-haspopup="menu" title=${w(`${state}Hint`)}>
          <st-state-mark state=${MARKS[state]}></st-state-mark><span class="cut">${name}</span>
          <span>${w(state)}</span>
        </button>
      </st-menu>
      ${ask ? html`<st-workspace-form .ask=${ask}></st-workspace-form>` : nothing}
    `;
  }
}

function items(): MenuItem[] {
  const all = workspace.list.map(({ id, name }): MenuItem => ({
    id: `workspace.choose.${id}`,
    label: name,
    isOn: workspace.current?.id === id,
  }));
  const verbs = OWN.flatMap((id): MenuItem[] => {
    const command = findCommand(id);
    if (!command) return [];
    const { icon, isDanger } = command;
    const isOff = command.when?.() === false;
    return [{
      id,
      label: command.label(),
      icon,
      isDanger,
      whyNot: isOff ? command.whyNot?.() : undefined,
      group: " ",
    }];
  });
  return [...all, ...verbs];
}
