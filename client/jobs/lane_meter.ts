import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement } from "lit";
import { customElement, property } from "lit/decorators.js";
import "#client/app/st_action.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import "#client/ui/state_mark.ts";
import type { Lane } from "#server/core/job_kind.ts";
import { nameOf } from "./describe_job.ts";
import { laneName } from "./names.ts";
import { queue } from "./queue_store.ts";
import { w } from "./words.ts";

/** How full one lane is, whether it is paused, and the switch for that. */
@customElement("st-lane-meter")
export class LaneMeter extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      :host {
        display: flex;
        gap: var(--space-2);
        align-items: center;
        min-height: var(--size-row);
        padding: 0 var(--space-3);
        font-size: var(--size-text-small);
        color: var(--color-text-quiet);
        font-variant-numeric: tabular-nums;
      }
      .name {
        color: var(--color-text);
        font-weight: var(--font-weight-medium);
      }
      .facts {
        flex: 1;
      }
      st-action {
        flex: none;
      }
    `,
  ];

  @property()
  accessor lane: Lane = "gpu";

  override render() {
    const facts = queue.state?.lanes.find(({ lane }) => lane === this.lane);
    const running = facts?.running ?? 0;
    const waiting = (facts?.queued ?? 0) + (facts?.blocked ?? 0) + (facts?.held ?? 0);
    const isPaused = facts?.isPaused ?? false;
    const after = queue.find(queue.pausesAfter(this.lane) ?? "");
    const mark = isPaused ? "attention" : running > 0 ? "running" : waiting > 0 ? "queued" : "off";
    const counts = { running, queued: waiting };
    const count = running + waiting === 0
      ? w("laneIdle")
      : waiting === 0
      ? w("laneRunning", counts)
      : running === 0
      ? w("laneWaiting", counts)
      : w("laneCount", counts);
    const sentence = isPaused && running === 0
      ? w("lanePausedCount", { queued: waiting })
      : isPaused
      ? `${w("lanePaused")} · ${count}`
      : after
      ? `${w("pausesAfter", { name: nameOf(after) })} · ${count}`
      : count;
    return html`
      <st-state-mark state=${mark}></st-state-mark>
      <span class="name">${laneName(this.lane)}</span>
      <span class="facts cut" title=${sentence}>${sentence}</span>
      <st-action command=${`jobs.pause_${this.lane}`} look="quiet" icon-only></st-action>
    `;
  }
}
