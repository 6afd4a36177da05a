import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import "#client/app/st_action.ts";
import type { StAction } from "#client/app/st_action.ts";
import { formatBytes, formatPercent } from "#client/core/format.ts";
import type { Panel } from "#client/core/panels.ts";
import { fleet } from "#client/fleet/fleet_store.ts";
import { markOfWorker, statusOfWorker } from "#client/fleet/describe_worker.ts";
import "#client/jobs/job_line.ts";
import { queue } from "#client/jobs/queue_store.ts";
import "#client/ui/badge.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import "#client/ui/error_state.ts";
import "#client/ui/skeleton.ts";
import "#client/ui/state_mark.ts";
import type { State } from "#client/ui/state_mark.ts";
import type { Sample, SampleStep } from "#server/first_run/contract.ts";
import { firstRun } from "./first_run_store.ts";
import { w } from "./words.ts";

const STEPS = [
  ["portrait", "stepPortrait", "stepPortraitText"],
  ["foundations", "stepFoundations", "stepFoundationsText"],
  ["clip", "stepClip", "stepClipText"],
  ["ready", "stepReady", "stepReadyText"],
] as const;

/** After the first admin: where files go, who can generate, and a sample made and rendered while one watches. */
@customElement("st-first-run-panel")
export class FirstRunPanel extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      :host {
        display: block;
        height: 100%;
        overflow: auto;
        background: var(--color-ground);
      }
      .page {
        display: grid;
        grid-template-columns: minmax(0, 1fr) minmax(0, 2.2fr);
        gap: var(--space-6) var(--space-8);
        align-items: start;
        max-width: calc(var(--size-side) * 4);
        margin: 0 auto;
        padding: var(--space-8) var(--space-6);
      }
      .title {
        grid-column: 1 / -1;
      }
      h1 {
        margin: 0;
        font-size: var(--size-title);
        font-weight: var(--font-weight-strong);
        letter-spacing: -0.01em;
      }
      h2 {
        margin: 0;
        font-size: var(--size-text-lead);
        font-weight: var(--font-weight-medium);
      }
      p {
        margin: 0;
        max-width: 68ch;
        color: var(--color-text-quiet);
        text-wrap: pretty;
        overflow-wrap: anywhere;
      }
      .quiet {
        color: var(--color-text-quiet);
        font-size: var(--size-text-small);
      }
      .facts {
        display: grid;
        gap: var(--space-4);
      }
      .fact {
        display: grid;
        grid-template-columns: var(--size-mark) minmax(0, 1fr);
        gap: var(--space-half) var(--space-3);
        align-items: baseline;
      }
      .fact > :not(st-state-mark) {
        grid-column: 2;
      }
      .fact h2 {
        font-size: var(--size-text);
      }
      code {
        font: var(--font-weight-regular) var(--size-text-small) / 1.5 var(--font-mono);
        overflow-wrap: anywhere;
        user-select: all;
      }
      .sample {
        display: grid;
        gap: var(--space-4);
      }
      .stage {
        position: relative;
        display: grid;
        place-items: center;
        aspect-ratio: 3 / 2;
        max-height: 48cqh;
        width: 100%;
        overflow: hidden;
        border-radius: var(--radius-panel);
        background: var(--color-surface);
      }
      .stage img,
      .stage video {
        position: absolute;
        inset: 0;
        width: 100%;
        height: 100%;
        object-fit: contain;
      }
      .stage .back {
        object-fit: cover;
        filter: blur(var(--space-6)) saturate(0.6);
        opacity: 0.35;
      }
      .stage.running {
        outline: var(--size-hairline) solid var(--color-plasma);
        box-shadow: 0 0 var(--space-2) color-mix(in oklab, var(--color-plasma) 25%, transparent);
      }
      .stage st-badge {
        position: absolute;
        inset: auto var(--space-2) var(--space-2) auto;
      }
      .invite {
        display: grid;
        gap: var(--space-3);
        justify-items: start;
        padding: var(--space-6) 0 var(--space-6) var(--space-6);
        border-inline-start: var(--size-running-line) solid var(--color-ion);
      }
      .strip {
        display: grid;
        grid-template-columns: repeat(4, minmax(0, 1fr));
        gap: var(--space-2);
      }
      figure {
        position: relative;
        display: grid;
        place-items: center;
        margin: 0;
        aspect-ratio: 3 / 2;
        overflow: hidden;
        border-radius: var(--radius-control);
        background: var(--color-surface);
        color: var(--color-text-off);
      }
      figure img {
        position: absolute;
        inset: 0;
        width: 100%;
        height: 100%;
        object-fit: cover;
      }
      figure.hero {
        outline: var(--size-running-line) solid var(--color-lime);
      }
      figcaption {
        position: absolute;
        inset: auto var(--space-1) var(--space-1) auto;
      }
      ol {
        display: grid;
        grid-template-columns: repeat(4, minmax(0, 1fr));
        gap: var(--space-2);
        margin: 0;
        padding: 0;
        list-style: none;
      }
      ol li {
        display: grid;
        gap: var(--space-half);
        align-content: start;
        padding-top: var(--space-2);
        border-top: var(--size-running-line) solid var(--color-line);
      }
      ol li.done {
        border-color: var(--color-lime);
      }
      ol li.now {
        border-color: var(--color-plasma);
      }
      ol li.stopped {
        border-color: var(--color-ember);
      }
      .name {
        display: flex;
        flex-wrap: wrap;
        gap: 0 var(--space-2);
        align-items: center;
        font-weight: var(--font-weight-medium);
      }
      .name .quiet {
        font-weight: var(--font-weight-regular);
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        gap: var(--space-2);
        align-items: center;
      }
      /* Quiet buttons have room around their words: that stands out to the left. */
      .fact .actions {
        margin-inline-start: calc(-1 * var(--space-3));
      }
      @container panel (width < 960px) {
        .page {
          grid-template-columns: minmax(0, 1fr);
        }
        .sample {
          grid-row: 2;
        }
      }
      @container panel (width < 480px) {
        .page {
          padding: var(--space-4);
        }
        ol {
          grid-template-columns: repeat(2, minmax(0, 1fr));
        }
      }
    `,
  ];

  @property({ attribute: false })
  accessor panel!: Panel;
  #leave: (() => void)[] = [];
  #step: SampleStep | undefined;

  override connectedCallback() {
    super.connectedCallback();
    this.#leave = [firstRun.open(), fleet.open(), queue.open()];
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    for (const leave of this.#leave) leave();
  }

  /** Whoever works by keys begins at what is to be pressed, and keeps the place when that button goes. */
  protected override updated() {
    const step = firstRun.facts.sample?.step;
    if (step === this.#step) return;
    this.#step = step;
    if (step !== undefined && document.activeElement === document.body) this.#focusAction();
  }

  #focusAction(): void {
    const action = this.renderRoot.querySelector<StAction>(".sample st-action");
    void action?.updateComplete.then(() => action.focus({ preventScroll: true }));
  }

  override render() {
    const { studio, sample, problem } = firstRun.facts;
    return html`
      <div class="page">
        <div class="title">
          <h1>${w(!studio && problem ? "notRead" : studio?.isReady === false ? "notReady" : "title")}</h1>
          <p>${w("lead")}</p>
        </div>
        <div class="facts">${this.#storage()} ${this.#workers()} ${this.#media()}
          <div class="fact"><h2>${w("own")}</h2><p>${w("ownText")}</p>
            <div class="actions"><st-action command="projects.create" look="quiet"></st-action>
              <st-action command="people.invite" look="quiet"></st-action></div></div>
        </div>
        <section class="sample" aria-label=${w("sample")}>
          ${problem
            ? html`
              <st-error heading=${w("unread")} text=${problem.message} id-to-copy=${problem.requestId}>
                <st-action command="first_run.read"></st-action>
              </st-error>
            `
            : nothing}
          ${!sample
            ? problem ? nothing : html`<st-skeleton shape="picture"></st-skeleton>`
            : this.#sample(sample)}
        </section>
      </div>
    `;
  }

  #storage() {
    const { storage } = firstRun.facts;
    if (!storage) return nothing;
    const { folder, disk, files, isWritable, problem } = storage;
    const facts = [
      disk ? w("free", { free: formatBytes(disk.freeBytes), total: formatBytes(disk.totalBytes) }) : "",
      files.count === 0 ? w("noFiles") : w("files", { n: files.count, bytes: formatBytes(files.bytes) }),
      storage.database ?? "",
    ].filter(Boolean).join(" · ");
    return fact(
      isWritable ? "good" : "failed",
      w("storage"),
      html`<code>${folder}</code><p>${problem ?? w("storageGood")}</p><span class="quiet">${facts}</span>`,
    );
  }

  #workers() {
    // Before they are read nothing is said of them.
    if (!fleet.reading.isKnown) return nothing;
    const usable = fleet.all.filter(({ status }) => status === "online");
    const isOnlyCpu = usable.length > 0 && usable.every(({ kind }) => kind === "cpu_engine");
    const mark: State = usable.length === 0 ? "waiting" : "good";
    const text = usable.length === 0
      ? w("workersNone")
      : isOnlyCpu
      ? w("workersOnlyCpu")
      : w("workersGood", { n: usable.length });
    return fact(
      mark,
      w("workers"),
      html`
        ${fleet.all.map((worker) =>
          html`
            <div class="name"><st-state-mark state=${markOfWorker(worker)}></st-state-mark>
              <span class="cut" title=${worker.name}>${worker.name}</span>
              <span class="quiet">${statusOfWorker(worker)}</span></div>
          `
        )}
        <p>${text}</p>
        <div class="actions">
          <st-action command="workers.add" look="quiet"></st-action>
        </div>
      `,
    );
  }

  #media() {
    const { studio } = firstRun.facts;
    if (!studio) return nothing;
    return fact(
      studio.media ? "good" : "waiting",
      w("media"),
      html`<p>${studio.media ? w("mediaGood", { name: studio.media }) : w("mediaNone")}</p>`,
    );
  }

  #sample(sample: Sample) {
    if (sample.step === "none") {
      return html`
        <div class="invite">
          <h2>${w("sample")}</h2>
          <p>${w("sampleText")}</p>
          <st-action command="first_run.sample" look="primary"></st-action>
        </div>
        ${this.#steps(sample)}
      `;
    }
    const isReady = sample.step === "ready";
    const isFailed = sample.step === "failed";
    return html`
      ${this.#stage(sample)}
      ${isFailed
        ? html`
          <st-error heading=${w("sampleFailed")} text=${`${sample.failure}. ${w("sampleFailedMend")}`}>
            <st-action command="go.queue"></st-action>
          </st-error>
        `
        : nothing}
      ${isReady
        ? html`
          <div>
            <h2>${w("sampleDone")}</h2>
            <p>${w("sampleDoneText")}</p>
          </div>
        `
        : this.#running()}
      <div class="actions">
        <st-action command="first_run.open_clip" look=${isReady ? "primary" : "plain"}></st-action>
        <st-action command="first_run.open_project" look="quiet"></st-action>
        <st-action command="jobs.tray" look="quiet"></st-action>
      </div>
      ${this.#steps(sample)}
      ${sample.foundations.length > 0 ? this.#strip(sample) : nothing}
    `;
  }

  #steps(sample: Sample) {
    return html`
      <ol>${STEPS.map(([step, name, text], index) => {
        const state = stepState(sample, index);
        return html`
          <li class=${state} aria-current=${state === "now" ? "step" : nothing}>
            <span class="name"><st-state-mark state=${MARKS[state]}></st-state-mark>${w(name)}</span>
            <span class="quiet">${step === "clip" && sample.clip && sample.clip.segmentsReady > 0 &&
                sample.step !== "ready"
              ? w("segments", { n: sample.clip.segmentsReady })
              : w(text)}</span>
          </li>
        `;
      })}</ol>
    `;
  }

  /** What there is to see now: the cut, else the picture that arrives, else the newest that is there. */
  #stage(sample: Sample) {
    const badge = html`<st-badge over>${w("cpuPreview")}</st-badge>`;
    const isCpu = fleet.all.filter(({ status }) => status === "online").every(({ kind }) =>
      kind === "cpu_engine"
    );
    if (sample.clip?.cutAssetId) {
      return html`
        <div class="stage">
          <video src=${`/api/assets/${sample.clip.cutAssetId}/content`} autoplay loop muted playsinline controls
            aria-label=${w("cutOf")}></video>${isCpu ? badge : nothing}
        </div>
      `;
    }
    const preview = [...firstRun.previews.values()].at(-1);
    const hero = sample.foundations.find(({ isHero }) => isHero) ??
      sample.foundations.findLast(({ assetId }) => assetId);
    const still = pictureOf(hero?.assetId ?? sample.portrait?.assetId ?? null);
    const shown = preview ?? still;
    return html`
      <div class="stage ${sample.step === "failed" ? "" : "running"}">
        ${shown
          ? html`
            <img class="back" src=${shown} alt=""><img class="front" src=${shown}
              alt=${preview ? w("liveNow", { name: w("sampleMaking") }) : w("portraitOf")}>
          `
          : html`<st-skeleton shape="picture"></st-skeleton>`}
        ${preview && isCpu ? badge : nothing}
      </div>
    `;
  }

  #strip({ portrait, foundations }: Sample) {
    const address = pictureOf(portrait?.assetId ?? null);
    return html`
      <div class="strip">
        <figure>${address ? html`<img src=${address} alt=${w("portraitOf")}>` : nothing}</figure>
        ${foundations.map(({ assetId, isHero, likeness }, index) => {
          const picture = pictureOf(assetId);
          return html`
            <figure class=${isHero ? "hero" : ""}>
              ${picture ? html`<img src=${picture} alt=${w("foundationOf", { n: index + 1 })}>` : html`
                <span
                  class="quiet">${w("waiting")}</span>
              `}
              ${isHero || likeness !== null
                ? html`
                  <figcaption>
                    <st-badge over>${isHero ? w("hero") : ""}${likeness === null
                      ? ""
                      : ` ${formatPercent(likeness)}`}</st-badge>
                  </figcaption>
                `
                : nothing}
            </figure>
          `;
        })}
      </div>
    `;
  }

  #running() {
    const projectId = firstRun.facts.sample?.projectId;
    const job = queue.all.find((one) => one.projectId === projectId && one.status === "running");
    return job ? html`<st-job-line .job=${job}></st-job-line>` : nothing;
  }
}

const MARKS = { done: "good", now: "running", later: "queued", stopped: "failed" } as const;

/** Where one of the four steps is, by its number. */
function stepState(sample: Sample, index: number): keyof typeof MARKS {
  const at = sample.step === "failed" ? reached(sample) : STEPS.findIndex(([step]) => step === sample.step);
  if (sample.step === "none") return "later";
  if (sample.step === "ready" || index < at) return "done";
  if (index > at) return "later";
  return sample.step === "failed" ? "stopped" : "now";
}

function reached({ clip, foundations }: Sample): number {
  const step: SampleStep = clip ? "clip" : foundations.length > 0 ? "foundations" : "portrait";
  return STEPS.findIndex(([name]) => name === step);
}

function pictureOf(assetId: string | null): string | undefined {
  return assetId === null ? undefined : `/api/assets/${assetId}/content`;
}

function fact(mark: State, title: string, content: TemplateResult) {
  return html`<div class="fact"><st-state-mark state=${mark}></st-state-mark><h2>${title}</h2>${content}</div>`;
}
