import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { ApiError } from "#client/core/call.ts";
import { keptSignal } from "#client/core/kept_signal.ts";
import "#client/player/curve.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import "#client/ui/select.ts";
import type { HostVitals, WorkerVitals } from "#server/fleet/contract.ts";
import { cw } from "./care_words.ts";
import { fleet } from "./fleet_store.ts";
import { binned, hasAgent, type Moment, readings } from "./vitals_rows.ts";

type Span = "minutes" | "day";
const SPANS = { minutes: { ms: 600_000, bins: 300 }, day: { ms: 86_400_000, bins: 288 } } as const;
/** All of them show the same stretch, to be compared. */
const shownSpan = keptSignal<Span>("workers_span", "minutes");

/** How a worker, or without one the studio's machine, is now and was: a number and a curve for each measure. */
@customElement("st-vitals")
export class VitalsView extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      :host {
        display: grid;
        gap: var(--space-2);
      }
      .head {
        display: flex;
        gap: var(--space-2);
        align-items: center;
        justify-content: space-between;
      }
      h3 {
        margin: 0;
        color: var(--color-text-quiet);
        font-size: var(--size-label);
        font-weight: var(--font-weight-regular);
      }
      dl {
        display: grid;
        margin: 0;
      }
      .row {
        display: grid;
        grid-template-columns: 11ch minmax(0, 1fr) minmax(15ch, auto);
        gap: var(--space-2);
        align-items: center;
        min-height: var(--size-row);
        border-top: var(--size-hairline) solid color-mix(in oklab, var(--color-line) 55%, transparent);
      }
      dt,
      .none {
        color: var(--color-text-quiet);
      }
      dt {
        font-size: var(--size-text-small);
      }
      dd {
        margin: 0;
        text-align: end;
        font-variant-numeric: tabular-nums;
      }
      dd.course {
        height: calc(var(--size-row) - var(--space-2));
      }
      st-curve {
        height: 100%;
      }
      p {
        margin: 0;
        color: var(--color-text-quiet);
      }
    `,
  ];

  /** Empty: the studio's own machine. */
  @property({ attribute: "worker-id" })
  accessor workerId = "";
  /** Where its temperature guard acts, as a line in the curve. */
  @property({ attribute: false })
  accessor pauseAtCelsius: number | null = null;
  /** It runs on another machine than the studio, of which only an agent there can tell. */
  @property({ type: Boolean, attribute: "is-remote" })
  accessor isRemote = false;
  @state()
  accessor seconds: readonly Moment[] = [];
  @state()
  accessor minutes: readonly Moment[] = [];
  @state()
  accessor host = "";
  @state()
  accessor problem = "";
  #stop: (() => void) | undefined;

  override connectedCallback() {
    super.connectedCallback();
    if (this.hasUpdated) this.#follow();
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    this.#stop?.();
  }

  protected override willUpdate(changed: PropertyValues<this>) {
    if (changed.has("workerId")) this.#follow();
  }

  override render() {
    const span = shownSpan.get();
    const { ms, bins } = SPANS[span];
    const moments = span === "day" ? this.minutes : this.seconds;
    const now = this.seconds.at(-1);
    const rows = readings(this.workerId === "" ? "host" : "worker", now, moments.some(hasAgent));
    const from = Date.now() - ms;
    return html`
      <div class="head">
        <h3>${this.workerId === "" ? `${cw("thisMachine")} · ${this.host}` : cw("vitals")}</h3>
        <st-select quiet label=${cw("span")} label-unseen .value=${span} .options=${[
          { value: "minutes", label: cw("tenMinutes") },
          { value: "day", label: cw("day") },
        ]}
          @change=${this.#chooseSpan}></st-select>
      </div>
      ${this.problem ? html`<p>${cw("vitalsUnread")}: ${this.problem}</p>` : nothing}
      <dl>${rows.map(({ name, label, text, low, high, value }) => {
        const values = binned(moments, from, ms, bins, value);
        const known = values.filter((one) => one !== null);
        const top = high ?? Math.max(1, ...known) * 1.1;
        const limit = name === "celsius" && this.pauseAtCelsius !== null
          ? [{ value: this.pauseAtCelsius, level: "warn" as const }]
          : [];
        return html`
          <div class="row">
            <dt>${label}</dt>
            <dd class="course">${known.length === 0 ? nothing : html`
              <st-curve .parts=${[{ from: 0, span: bins, values }]} .span=${bins} .low=${low}
                .high=${top} .thresholds=${limit}></st-curve>
            `}</dd>
            <dd class=${text === undefined ? "none" : ""}>${text ?? cw("noData")}</dd>
          </div>
        `;
      })}</dl>
      ${this.isRemote && now && !hasAgent(now) ? html`<p>${cw("noAgent")}</p>` : nothing}
    `;
  }

  readonly #chooseSpan = (event: Event) => {
    // The target is this template's own select.
    shownSpan.set((event.target as HTMLElement & { value: Span }).value);
    if (shownSpan.get() === "day") void this.#read();
  };

  #follow(): void {
    this.#stop?.();
    this.seconds = [];
    this.minutes = [];
    const hear = (vitals: WorkerVitals | HostVitals) => {
      this.seconds = [...this.seconds.slice(-599), vitals];
    };
    this.#stop = this.workerId === "" ? fleet.followHost(hear) : fleet.followVitals(this.workerId, hear);
    void this.#read();
  }

  async #read(): Promise<void> {
    const asked = this.workerId;
    try {
      const { host, seconds, minutes } = asked === ""
        ? await fleet.readHostVitals()
        : { host: "", ...await fleet.readVitals(asked) };
      if (asked !== this.workerId) return;
      this.host = host;
      // What was heard while the answer was on its way is newer.
      const last = seconds.at(-1)?.at ?? "";
      this.seconds = [...seconds, ...this.seconds.filter(({ at }) => at > last)].slice(-600);
      this.minutes = minutes;
      this.problem = "";
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.problem = error.message;
    }
  }
}
