import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { ApiError } from "#client/core/call.ts";
import { formatAgo, formatBytes } from "#client/core/format.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import "#client/ui/error_state.ts";
import "#client/ui/skeleton.ts";
import type { WorkerChange, WorkerProfile } from "#server/fleet/contract.ts";
import { cw } from "./care_words.ts";
import { fleet } from "./fleet_store.ts";
import { isOpened, keepOpened } from "./opened.ts";
import { w } from "./words.ts";

const MODELS_SHOWN = 200;
const ITEMS_SHOWN = 60;

/** What a worker is made of: devices, nodes, models, and what had changed each time it was looked at again. */
@customElement("st-worker-profile")
export class ProfileView extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      :host {
        display: grid;
        gap: var(--space-3);
      }
      h3 {
        margin: 0;
        color: var(--color-text-quiet);
        font-size: var(--size-label);
        font-weight: var(--font-weight-regular);
      }
      p {
        margin: 0;
        overflow-wrap: anywhere;
      }
      .quiet {
        color: var(--color-text-quiet);
      }
      summary {
        cursor: pointer;
        border-radius: var(--radius-control);
      }
      ul {
        display: grid;
        margin: 0;
        padding: var(--space-1) 0 0;
        list-style: none;
        font-size: var(--size-text-small);
      }
      li {
        display: flex;
        gap: var(--space-2);
        justify-content: space-between;
        overflow-wrap: anywhere;
      }
      section {
        display: grid;
        gap: var(--space-1);
      }
      .amount {
        flex: none;
        color: var(--color-text-quiet);
        font-variant-numeric: tabular-nums;
      }
    `,
  ];

  @property({ attribute: "worker-id" })
  accessor workerId = "";
  /** Another value: it was looked at again. */
  @property()
  accessor version = "";
  @state()
  accessor profile: WorkerProfile | undefined;
  @state()
  accessor problem = "";

  protected override willUpdate(changed: PropertyValues<this>) {
    if (changed.has("workerId")) this.profile = undefined;
    if (changed.has("workerId") || changed.has("version")) void this.#read();
  }

  override render() {
    if (this.problem) return html`<st-error heading=${w("unreadOne")} text=${this.problem}></st-error>`;
    if (!this.profile) return html`<st-skeleton count="3"></st-skeleton>`;
    const { nodes, models, devices, changes } = this.profile;
    if (nodes === 0) return html`<p class="quiet">${cw("neverRead")}</p>`;
    const sizes = models.flatMap(({ sizeBytes }) => sizeBytes ?? []);
    const size = sizes.length === 0
      ? cw("sizeUnknown")
      : formatBytes(sizes.reduce((sum, one) => sum + one, 0));
    const counted = cw("modelsCount", { n: models.length });
    return html`
      <section>
        <h3>${cw("devices")}</h3>
        ${devices.map(({ name, vramTotalBytes }) =>
          html`<p>${
            vramTotalBytes === null ? name : w("device", { name, memory: formatBytes(vramTotalBytes) })
          }</p>`
        )}
        <p class="quiet">${cw("nodesCount", { n: nodes })}</p>
      </section>
      <section>
        <h3>${cw("changes")}</h3>
        ${changes.length === 0
          ? html`<p class="quiet">${cw("noChanges")}</p>`
          : changes.map((change) => showChange(this.workerId, change))}
      </section>
      <section>
        <h3>${cw("models")}</h3>
        ${models.length === 0 ? html`<p class="quiet">${counted}</p>` : html`
          <details ?open=${isOpened(`models ${this.workerId}`)}
            @toggle=${keepOpened(`models ${this.workerId}`)}>
            <summary>${cw("modelsSize", { models: counted, size })}</summary>
            <ul>${models.slice(0, MODELS_SHOWN).map(({ folder, name, sizeBytes }) =>
              html`<li><span>${folder}/${name}</span>
                <span class="amount">${
                sizeBytes === null ? cw("sizeUnknown") : formatBytes(sizeBytes)
              }</span></li>`
            )}</ul>
            ${rest(models.length - MODELS_SHOWN)}
          </details>
        `}
      </section>
    `;
  }

  async #read(): Promise<void> {
    const asked = this.workerId;
    try {
      const profile = await fleet.readProfile(asked);
      if (asked !== this.workerId) return;
      this.profile = profile;
      this.problem = "";
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.problem = error.message;
    }
  }
}

function showChange(workerId: string, { at, versionBefore, versionAfter, items }: WorkerChange) {
  const key = `${at} ${workerId}`;
  const versions = versionBefore !== null && versionAfter !== null && versionBefore !== versionAfter
    ? cw("versions", { before: versionBefore, after: versionAfter })
    : "";
  const head = [formatAgo(at, Date.now()), versions, cw("changeCount", { n: items.length })];
  return html`
    <details ?open=${isOpened(key)} @toggle=${keepOpened(key)}>
      <summary>${head.filter(Boolean).join(" · ")}</summary>
      <ul>${items.slice(0, ITEMS_SHOWN).map(({ kind, name }) =>
        html`<li><span>${name}</span><span class="amount">${cw(kind)}</span></li>`
      )}</ul>
      ${rest(items.length - ITEMS_SHOWN)}
    </details>
  `;
}

function rest(n: number) {
  return n > 0 ? html`<p class="quiet">${cw("more", { n })}</p>` : nothing;
}
