import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { session } from "#client/auth/session_store.ts";
import { follow } from "#client/core/follow.ts";
import { formatDuration } from "#client/core/format.ts";
import type { Panel } from "#client/core/panels.ts";
import { entity } from "#client/core/place.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import type { Plan } from "#server/clips/contract.ts";
import type { Rate } from "#server/core/media_time.ts";
import "#client/app/st_action.ts";
import "#client/player/player.ts";
import "#client/player/transport.ts";
import "#client/scenes/scene_sheet.ts";
import "#client/ui/badge.ts";
import "#client/ui/button.ts";
import "#client/ui/empty_state.ts";
import "#client/ui/error_state.ts";
import "#client/ui/progress.ts";
import "#client/ui/state_mark.ts";
import { type ClipDesk, openDesk } from "./clip_desk.ts";
import { CLIP_MARKS, cutToShow, openCut } from "./clip_facts.ts";
import type { ClipFacts } from "./clip_store.ts";
import { notReady, PRIMARY_COMMANDS, primaryLabel } from "./commands.ts";
import { w } from "./words.ts";

/** The open clip's picture, where it stands, and the one button that says what comes next. */
@customElement("st-clip-panel")
export class ClipPanel extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      .all {
        display: flex;
        flex-direction: column;
        height: 100%;
        min-height: 0;
        overflow: hidden;
        background: var(--color-ground);
      }
      st-player {
        flex: 1;
        min-height: calc(2 * var(--space-12));
      }
      .bottom {
        flex: none;
        background: var(--color-surface);
        border-top: var(--size-hairline) solid var(--color-line);
      }
      .told {
        display: flex;
        align-items: center;
        gap: var(--space-2);
        min-width: 0;
        min-height: var(--size-row);
        padding: var(--space-1) var(--space-3);
        border-bottom: var(--size-hairline) solid var(--color-line);
        font-size: var(--size-text-small);
      }
      .told p {
        flex: 1;
        min-width: 0;
        margin: 0;
        color: var(--color-text-quiet);
        overflow-wrap: anywhere;
      }
      .told b {
        color: var(--color-text);
        font-weight: var(--font-weight-medium);
        margin-right: var(--space-2);
      }
      .told code {
        font-size: var(--size-label);
        user-select: all;
      }
      .status {
        display: flex;
        align-items: center;
        gap: var(--space-2);
        color: var(--color-text-quiet);
        font-size: var(--size-text-small);
        white-space: nowrap;
      }
      .still {
        display: block;
        width: 100%;
        height: 100%;
        object-fit: contain;
      }
      .none {
        display: grid;
        place-items: center;
        color: var(--color-text-quiet);
      }
      .empty {
        display: grid;
        place-items: center;
        height: 100%;
      }
      .live {
        position: absolute;
        inset: 0;
        border: var(--size-running-line) solid var(--color-plasma);
        opacity: 0.7;
      }
      st-progress {
        display: block;
      }
      /* Where there is little height the picture gives way to what one acts with. */
      @container panel (height < 16rem) {
        .all {
          overflow: auto;
        }
        st-player {
          min-height: var(--space-12);
        }
      }
    `,
  ];

  @property({ attribute: false })
  accessor panel!: Panel;
  #desk: ClipDesk | undefined;
  #close: (() => void) | undefined;
  #unfollow: (() => void) | undefined;

  override connectedCallback() {
    super.connectedCallback();
    const stops = [follow(() => this.#take(openDesk())), follow(keepPlace)];
    this.#unfollow = () => stops.forEach((stop) => stop());
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    this.#unfollow?.();
    this.#close?.();
    this.#desk = undefined;
  }

  override render() {
    const desk = openDesk();
    const scene = entity("scene");
    if (scene) return html`<st-scene-sheet scene-id=${scene.id}></st-scene-sheet>`;
    if (!desk) {
      return html`
        <h1 class="unseen">${w("clip")}</h1>
        <div class="empty">
          <st-empty icon="clapperboard" heading=${w("noClip")} text="${w(
            session.may("clip.edit") ? "noClipText" : "noClipLook",
          )}.">
            <st-action command="clips.create"></st-action>
          </st-empty>
        </div>
      `;
    }
    const { facts, reading } = desk.store;
    if (!facts) return this.#missing(desk);
    this.panel?.rename(facts.clip.name);
    return html`
      <h1 class="unseen">${facts.clip.name}</h1>
      <div class="all">
      ${this.#picture(desk, facts)}
      <div class="bottom">
        ${this.#told(desk, facts, reading.isStale)}
        <st-transport .playback=${desk.playback}>
          ${this.#isQuiet(desk, facts) ? this.#status(facts) : nothing} ${this.#decisions(desk)} ${this
            .#primary(desk, facts)}
        </st-transport>
      </div>
      </div>
    `;
  }

  /** The store of the open clip is read while it shows, and what it has goes on the player. */
  #take(desk: ClipDesk | undefined): void {
    if (desk !== this.#desk) {
      this.#close?.();
      this.#desk = desk;
      this.#close = desk?.store.open();
      this.panel?.rename(undefined);
    }
    desk?.follow();
  }

  #missing({ store: { reading } }: ClipDesk) {
    const { problem, isKnown } = reading;
    const read = () => reading.read();
    const title = html`<h1 class="unseen">${w("clip")}</h1>`;
    if (problem) {
      return html`
        ${title}<div class="empty">
          <st-error heading=${w("unread")} text="${problem.message}." id-to-copy=${problem.requestId}>
            <st-button @click=${() => void read()}>${w("retryStep")}</st-button>
          </st-error>
        </div>
      `;
    }
    return isKnown
      ? html`
        ${title}<div class="empty">
          <st-empty icon="clapperboard" heading=${w("gone")} text="${w("goneText")}."></st-empty>
        </div>
      `
      : html`${title}<div class="empty" aria-busy="true"></div>`;
  }

  #picture(desk: ClipDesk, { clip, plan, hero }: ClipFacts) {
    const running = desk.lane.find(({ running }) => running)?.running;
    const preview = running && desk.store.previewOf(running.id);
    const isLive = preview !== undefined && desk.auditioned === undefined;
    const { shown } = desk;
    const cut = cutToShow(clip);
    const size = cut ?? plan;
    return html`
      <st-player .playback=${isLive ? undefined : desk.playback}
        .ratio=${size ? size.widthPx / size.heightPx : 16 / 9}
        aria-label=${clip.name}>
        ${isLive
          ? html`<img class="still" src=${preview} alt=${w("livePreview")}>`
          : !shown && hero?.assetId
          ? html`<img class="still" src="/api/assets/${hero.assetId}/derivatives/working_image" alt=${
            w("hero")
          }>`
          : nothing}
        ${isLive ? html`<div slot="overlay" class="live"></div>` : nothing}
        ${plan?.isCpuPreview ? html`<st-badge slot="chip" over>${w("cpuPreview")}</st-badge>` : nothing}
        ${isLive ? html`<st-badge slot="chip" over state="running">${w("livePreview")}</st-badge>` : nothing}
        ${shown?.kind === "take"
          ? html`<st-badge slot="chip" over>${
            w("audition", { take: shown.take.number, segment: shown.segment.index })
          }</st-badge>`
          : shown
          ? html`<st-badge slot="chip" over>${w("cutLabel", { number: shown.cut.number })}</st-badge>`
          : nothing}
      </st-player>
    `;
  }

  /** How the clip is, in a sentence; what a person is asked; what failed, why, and its id. */
  #told(desk: ClipDesk, facts: ClipFacts, isStale: boolean) {
    const { clip, jobs } = facts;
    const failed = jobs.find(({ status }) => status === "failed");
    const verdict = verdictOf(facts);
    const cut = openCut(clip);
    const cutJob = cut && jobs.find(({ cutId }) => cutId === cut.id);
    const sentence = this.#sentence(desk, facts);
    return html`
      ${this.#isQuiet(desk, facts) ? nothing : html`
        <div class="told" role="status">
          <st-state-mark state=${isStale
            ? "waiting"
            : failed
            ? "failed"
            : CLIP_MARKS[clip.status]}></st-state-mark>
          <p><b>${[w(clip.status), verdict].filter(Boolean).join(" · ")}</b>${sentence}${isStale
            ? ` ${w("stale")}.`
            : nothing}${failed
            ? html`
              ${failed.error} <code>${failed.id}</code>
            `
            : nothing}</p>
          ${failed ? html`<st-action command="clips.retry" look="quiet"></st-action>` : nothing}
          ${desk.auditioned
            ? html`
              <st-action command="clips.choose" look="quiet"></st-action>
              <st-action command="clips.back-to-cut"
                look="quiet"></st-action>
            `
            : nothing}
        </div>
      `}
      ${cutJob
        ? html`<st-progress .ratio=${desk.store.ratioOf(cutJob)} label=${w("stitchesNow")}></st-progress>`
        : nothing}
    `;
  }

  #isQuiet(desk: ClipDesk, facts: ClipFacts): boolean {
    return this.#sentence(desk, facts) === "" && !desk.store.reading.isStale &&
      desk.auditioned === undefined &&
      !facts.jobs.some(({ status }) => status === "failed") && verdictOf(facts) === "";
  }

  /** What a person is asked, why nothing can be made, or what making it would cost. */
  #sentence({ step }: ClipDesk, facts: ClipFacts): string {
    const { clip, plan } = facts;
    if (clip.attention) return clip.attention;
    if (step !== "plan" && step !== "generate" && step !== "go_on") return "";
    const why = notReady(facts);
    if (why) return `${why}.`;
    return plan ? describePlan(plan) : "";
  }

  #status({ clip, plan }: ClipFacts) {
    const left = clip.status === "generating" && plan?.estimate
      ? ` · ${w("about", { time: formatDuration(plan.estimate.p50Ms) })}`
      : "";
    return html`<span class="status"><st-state-mark state=${CLIP_MARKS[clip.status]}></st-state-mark>${
      w(clip.status)
    }${left}</span>`;
  }

  #decisions({ step }: ClipDesk) {
    if (step === "keep" || step === "keep_take") {
      return html`<st-action command="clips.make-again" look="quiet" yields></st-action>`;
    }
    return step === "finalize" || step === "none"
      ? html`
        <st-action command="clips.reject" look="quiet" yields></st-action>
        <st-action command="clips.approve" look="quiet" yields></st-action>
      `
      : nothing;
  }

  #primary({ step, store }: ClipDesk, facts: ClipFacts) {
    const id = PRIMARY_COMMANDS[step];
    const label = primaryLabel(step, facts);
    if (id) {
      return html`<st-action command=${id} .label=${label} look=${
        step === "undo" ? "quiet" : "primary"
      }></st-action>`;
    }
    return step === "wait"
      ? html`<span class="quiet" aria-live="polite">${label}</span>${
        store.isPending
          ? nothing
          : html`<st-action command="clips.cancel-step" look="quiet" icon-only></st-action>`
      }`
      : nothing;
  }
}

/** "Rejected · Ada": the decision that stands on a cut in review; empty without one. */
function verdictOf({ clip, decisions }: ClipFacts): string {
  const last = decisions.findLast(({ undoneAt }) => undoneAt === null);
  if (clip.status !== "in_review" || !last) return "";
  return [w(last.kind === "reject" ? "rejected" : "approved"), last.decidedBy?.name].filter(Boolean).join(
    " · ",
  );
}

/** "96 frames to generate at 16 fps, 1024 × 576, by CPU preview · at most 5 segments · …": what it would cost. */
function describePlan(plan: Plan): string {
  const parts = [
    w("planLine", {
      generated: plan.generatedFrames,
      rate: rateText(plan.nativeRate),
      width: String(plan.widthPx),
      height: String(plan.heightPx),
      workflow: plan.workflowTitle,
    }),
    w("planBound", { n: plan.bound }),
    plan.conform === "none" ? "" : w("planConform", { rate: rateText(plan.rate), rule: w(plan.conform) }),
    plan.estimate
      ? w("took", { p50: formatDuration(plan.estimate.p50Ms), p90: formatDuration(plan.estimate.p90Ms) })
      : w("noEstimate"),
  ];
  return parts.filter((part) => part !== "").join(" · ");
}

/** "24", "23.976". */
export function rateText({ num, den }: Rate): string {
  return String(Math.round((1000 * num) / den) / 1000);
}

/** Where the playhead stands comes back with everything else. */
function keepPlace(): void {
  const desk = openDesk();
  const standing = desk?.standing;
  if (desk && standing) queueMicrotask(() => desk.keepStanding(standing));
}
