import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { customElement, property } from "lit/decorators.js";
import "#client/app/st_action.ts";
import { tellError } from "#client/core/notices.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import { factStyles } from "#client/ui/side_styles.ts";
import "#client/ui/field.ts";
import type { Field } from "#client/ui/field.ts";
import "#client/ui/select.ts";
import "#client/ui/skeleton.ts";
import type { WorkerCommandKind, WorkerDetail } from "#server/fleet/contract.ts";
import {
  type CareForm,
  careForm,
  type CommandForm,
  openCareForm,
  typeCare,
  typeCommand,
} from "./care_form.ts";
import { cw } from "./care_words.ts";

/** What the watch-dog may do, the guards, and how the studio starts the worker. For admins. */
@customElement("st-worker-care")
export class CareView extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    factStyles,
    css`
      :host {
        display: grid;
        gap: var(--space-4);
      }
      section {
        display: grid;
        gap: var(--space-2);
      }
      .pair {
        display: grid;
        grid-template-columns: 1fr 1fr;
        gap: var(--space-2);
      }
    `,
  ];

  @property({ attribute: false })
  accessor worker: WorkerDetail | undefined;

  protected override willUpdate(changed: PropertyValues<this>) {
    const { worker } = this;
    if (changed.has("worker") && worker) {
      queueMicrotask(() => openCareForm(worker.id, worker.rules).catch(tellError));
    }
  }

  override render() {
    const form = careForm();
    if (!form || form.workerId !== this.worker?.id) return html`<st-skeleton count="4"></st-skeleton>`;
    return html`
      <section>
        <h3>${cw("watchDog")}</h3>
        <st-select label=${cw("watchUpTo")} hint=${cw("watchHint")} .value=${form.watchUpTo} .options=${[
          { value: "", label: cw("offerOnly") },
          ...(["interrupt", "free", "restart", "kill"] as const).map((value) => ({
            value,
            label: cw(value),
          })),
        ]}
          @change=${type("watchUpTo")}></st-select>
      </section>
      <section>
        <h3>${cw("guards")}</h3>
        <div class="pair">
          <st-field label=${cw("pauseAt")} type="number" unit="°C" .value=${form.pauseAt}
            fault=${faultOf(form, "pauseAtCelsius")} @input=${type("pauseAt")}></st-field>
          <st-field label=${cw("resumeAt")} type="number" unit="°C" .value=${form.resumeAt}
            fault=${faultOf(form, "resumeAtCelsius")} @input=${type("resumeAt")}></st-field>
        </div>
        <st-field label=${cw("minFree")} type="number" unit="GB" hint=${cw("minFreeHint")}
          .value=${form.minFreeGb} fault=${faultOf(form, "minFreeVramBytes")}
          @input=${type("minFreeGb")}></st-field>
        <div class="actions">
          <st-action command="workers.save_rules"></st-action>
        </div>
      </section>
      ${this.worker.kind === "cpu_engine"
        ? nothing
        : [this.#command(form, "start"), this.#command(form, "restart")]}
    `;
  }

  #command(care: CareForm, kind: WorkerCommandKind) {
    const form = care[kind];
    const shown = SHOWN[kind];
    return html`
      <section aria-label=${cw(shown.heading)}>
        <h3>${cw(shown.heading)}</h3>
        <p>${cw(shown.hint)}</p>
        <st-field mono rows="4" label=${cw(shown.heading)} label-unseen .value=${form.args}
          placeholder=${shown.example} fault=${faultOf(form, "args")}
          @input=${typeInto(kind, "args")}></st-field>
        <st-field mono label=${cw("folder")} .value=${form.folder} placeholder="/opt/ComfyUI"
          fault=${faultOf(form, "folder")} @input=${typeInto(kind, "folder")}></st-field>
        <st-field mono rows="2" label=${cw("variables")} hint=${cw("variablesHint")} .value=${form.variables}
          fault=${form.variablesFault || faultOf(form, "environment")}
          @input=${typeInto(kind, "variables")}></st-field>
        ${form.host === undefined ? nothing : html`<p>${cw("runsOn", { host: form.host })}</p>`}
        <div class="actions">
          <st-action command=${shown.save}></st-action>
          <st-action command=${shown.forget} look="quiet"></st-action>
        </div>
      </section>
    `;
  }
}

const SHOWN = {
  start: {
    heading: "startCommand",
    hint: "startHint",
    example: "/opt/ComfyUI/venv/bin/python\nmain.py\n--port\n8188",
    save: "workers.save_command",
    forget: "workers.forget_command",
  },
  restart: {
    heading: "restartCommand",
    hint: "restartHint",
    example: "systemctl\nrestart\ncomfyui",
    save: "workers.save_restart_command",
    forget: "workers.forget_restart_command",
  },
} as const;

function type(name: "watchUpTo" | "pauseAt" | "resumeAt" | "minFreeGb") {
  // The targets are this template's own fields.
  return (event: Event) => typeCare({ [name]: (event.target as Field).value });
}

function typeInto(kind: WorkerCommandKind, name: "args" | "folder" | "variables") {
  return (event: Event) => typeCommand(kind, { [name]: (event.target as Field).value });
}

/** What the studio said of the field; of one that it did not name, nothing. */
function faultOf({ problem }: Pick<CareForm | CommandForm, "problem">, name: string): string {
  return problem?.fields.filter(({ field }) => field.startsWith(`/body/${name}`)).map(({ message }) =>
    message
  )
    .join(" ") ?? "";
}
