import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { formatCount } from "#client/core/format.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import type { Column } from "#client/ui/table.ts";
import type { TreeNode } from "#client/ui/tree.ts";
import type { SortEvent } from "#client/ui/list_events.ts";
import type { Sprite } from "#client/ui/scrub.ts";
import "#client/ui/avatar.ts";
import "#client/ui/badge.ts";
import "#client/ui/button.ts";
import "#client/ui/checkbox.ts";
import "#client/ui/copy_text.ts";
import "#client/ui/dialog.ts";
import "#client/ui/drop_zone.ts";
import "#client/ui/empty_state.ts";
import "#client/ui/error_state.ts";
import "#client/ui/field.ts";
import "#client/ui/grid.ts";
import "#client/ui/icon_button.ts";
import "#client/ui/kbd.ts";
import "#client/ui/menu.ts";
import "#client/ui/popover.ts";
import "#client/ui/progress.ts";
import "#client/ui/select.ts";
import "#client/ui/skeleton.ts";
import "#client/ui/slider.ts";
import "#client/ui/splitter.ts";
import "#client/ui/state_mark.ts";
import "#client/ui/switch.ts";
import "#client/ui/table.ts";
import "#client/ui/tabs.ts";
import "#client/ui/tile.ts";
import "#client/ui/tooltip.ts";
import "#client/ui/tree.ts";
import { icon, ICON_NAMES } from "#client/ui/icons.ts";
import { drawSprite } from "./sample_sprite.ts";
import { w } from "./words.ts";

/** One made-up clip of the gallery's long lists. */
interface Sample {
  readonly id: string;
  readonly number: number;
  readonly likeness: number;
}

const HOW_MANY = 10_000;
const STATES = ["queued", "waiting", "running", "attention", "good", "failed", "off"] as const;

/** Every element of the design system in every state: for eyes, for screenshots, and for the tests of access. */
@customElement("st-element-gallery")
export class ElementGallery extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      :host {
        display: grid;
        gap: var(--space-8);
      }
      section {
        display: grid;
        gap: var(--space-3);
        min-width: 0;
      }
      h2 {
        margin: 0;
        padding-bottom: var(--space-1);
        border-bottom: var(--size-hairline) solid var(--color-line);
        font-size: var(--size-text);
        font-weight: var(--font-weight-strong);
      }
      .row {
        display: flex;
        flex-wrap: wrap;
        gap: var(--space-2) var(--space-3);
        align-items: center;
        min-width: 0;
      }
      .fields {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(100%, var(--size-tile)), 1fr));
        gap: var(--space-4);
        align-items: start;
      }
      .pair {
        display: inline-flex;
        align-items: center;
        gap: var(--space-2);
      }
      .framed {
        min-width: 0;
        border: var(--size-hairline) solid var(--color-line);
      }
      .short {
        height: var(--size-tile);
      }
      .tall {
        height: calc(2 * var(--size-tile));
      }
      .icons {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(var(--size-row), 1fr));
        gap: var(--space-1);
        color: var(--color-text-quiet);
      }
      .part {
        padding: var(--space-3);
        color: var(--color-text-quiet);
      }
    `,
  ];

  @state()
  accessor isDialogOpen = false;
  @state()
  accessor samples: readonly Sample[] = Array.from({ length: HOW_MANY }, (_, at) => ({
    id: `clip-${at}`,
    number: at + 1,
    likeness: ((at * 7919) % 1000) / 1000,
  }));
  @state()
  accessor sort = { column: "number", isDescending: false };
  @state()
  accessor tab = "takes";
  @state()
  accessor picture = "";
  @state()
  accessor sprite: Sprite | undefined;
  @state()
  accessor expanded: ReadonlySet<string> = new Set(["project", "scene-1"]);

  override connectedCallback() {
    super.connectedCallback();
    void drawSprite().then(({ picture, sprite }) => {
      this.picture = picture;
      this.sprite = sprite;
    });
  }

  override render() {
    return html`
      ${this.#section("buttons", w("buttons"), this.#buttons())}
      ${this.#section("fields", w("fields"), this.#fields())}
      ${this.#section("choices", w("choices"), this.#choices())}
      ${this.#section("overlays", w("overlays"), this.#overlays())}
      ${this.#section("feedback", w("feedback"), this.#feedback())}
      ${this.#section("lists", w("lists"), this.#lists())}
    `;
  }

  #section(id: string, title: string, content: TemplateResult) {
    return html`<section id=${id} aria-labelledby=${`${id}-title`}>
      <h2 id=${`${id}-title`}>${title}</h2>${content}</section>`;
  }

  #buttons() {
    return html`
      <div class="row">
        <st-button>${w("use")}</st-button>
        <st-button variant="primary" keys="enter">${w("action")}</st-button>
        <st-button variant="danger" icon="trash">${w("actionDanger")}</st-button>
        <st-button variant="quiet">${w("actionQuiet")}</st-button>
        <st-button .pressed=${true}>${w("filter")}</st-button>
        <st-button busy>${w("busy")}</st-button>
        <st-button disabled>${w("use")}</st-button>
        <st-button variant="primary" why-not=${w("notAllowed")}>${w("action")}</st-button>
      </div>
      <div class="row">
        <st-icon-button icon="play" label=${w("running")} keys="space"></st-icon-button>
        <st-icon-button icon="grid" label=${w("lists")} .pressed=${true}></st-icon-button>
        <st-icon-button icon="trash" label=${w("actionDanger")} variant="danger"></st-icon-button>
        <st-icon-button icon="plus" label=${w("added")} variant="plain"></st-icon-button>
        <st-icon-button icon="check" label=${w("action")} variant="primary"></st-icon-button>
        <st-icon-button icon="lock" label=${w("action")} why-not=${w("notAllowed")}></st-icon-button>
        <st-icon-button icon="settings" label=${w("use")} disabled></st-icon-button>
        <st-icon-button small icon="splitVertical" label=${w("shapes")}></st-icon-button>
        <st-kbd keys="mod+shift+k"></st-kbd>
        <st-kbd keys="p"></st-kbd>
        <st-kbd keys="enter"></st-kbd>
      </div>
      <div class="icons">${ICON_NAMES.map((name) => html`<span title=${name}>${icon(name)}</span>`)}</div>
    `;
  }

  #fields() {
    return html`
      <div class="fields">
        <st-field label=${w("nameOfClip")} value=${w("clip", { n: "020" })}></st-field>
        <st-field label=${w("filter")} icon="search" type="search" placeholder=${w("name")}></st-field>
        <st-field label=${w("duration")} type="number" value="0" unit="s" hint=${w("hint")}
          fault=${w("fault")}></st-field>
        <st-field label=${w("name")} value=${w("longName")} disabled></st-field>
        <st-field label=${w("prompt")} rows="3" value=${w("emptyText")}></st-field>
        <st-select label=${w("workflow")} value="wan" .options=${[
          { value: "wan", label: "Wan 2.2 I2V 14B" },
          { value: "ltx", label: "LTX-Video 2B" },
          { value: "preview", label: w("chip"), group: w("chip") },
        ]}></st-select>
        <st-select label=${w("workflow")} value="wan" fault=${w("notAllowed")} .options=${[
          { value: "wan", label: w("longName") },
        ]}></st-select>
        <st-select label=${w("workflow")} disabled .options=${[{
          value: "",
          label: w("actionQuiet"),
        }]}></st-select>
        <st-slider label=${w("strength")} min="0" max="1" step="0.05" value="0.65" initial="0.5"></st-slider>
        <st-slider label=${w("duration")} min="1" max="60" value="8" initial="8" unit="s" hint=${w(
          "hint",
        )}></st-slider>
        <st-slider label=${w("strength")} disabled></st-slider>
        <st-drop-zone label=${w("upload")} multiple accept="image/*"></st-drop-zone>
      </div>
    `;
  }

  #choices() {
    return html`
      <div class="row">
        <st-checkbox checked>${w("tabTakes")}</st-checkbox>
        <st-checkbox>${w("tabNotes")}</st-checkbox>
        <st-checkbox indeterminate>${w("lists")}</st-checkbox>
        <st-checkbox disabled>${w("stale")}</st-checkbox>
        <st-switch checked hint=${w("switchHint")}>${w("textureSync")}</st-switch>
        <st-switch>${w("filter")}</st-switch>
        <st-switch disabled checked>${w("likeness")}</st-switch>
      </div>
      <st-tabs label=${w("choices")} selected=${this.tab} .tabs=${[
        { id: "takes", label: w("tabTakes"), icon: "film" as const, count: 3 },
        { id: "notes", label: w("tabNotes"), icon: "message" as const },
        { id: "curves", label: w("tabCurves"), icon: "activity" as const },
        { id: "off", label: w("stale"), isDisabled: true },
      ]} @change=${this.#changeTab}>
        <p class="part">${w("emptyText")}</p>
      </st-tabs>
    `;
  }

  readonly #changeTab = (event: Event) => {
    if (event.target instanceof HTMLElement && "selected" in event.target) {
      this.tab = String(event.target.selected);
    }
  };

  #overlays() {
    const items = [
      { id: "open", label: w("use"), icon: "folderOpen" as const, keys: "enter" },
      { id: "lock", label: w("action"), icon: "lock" as const, whyNot: w("notAllowed") },
      { id: "sync", label: w("textureSync"), isOn: true, group: w("choices") },
      { id: "likeness", label: w("likeness"), isOn: false, group: w("choices") },
      {
        id: "delete",
        label: w("actionDanger"),
        icon: "trash" as const,
        keys: "delete",
        isDanger: true,
        group: " ",
      },
    ];
    return html`
      <div class="row">
        <st-menu label=${w("actions")} .items=${items}></st-menu>
        <st-menu label=${w("actions")} .items=${items}>
          <st-button slot="trigger" icon="chevronDown">${w("actions")}</st-button>
        </st-menu>
        <st-popover label=${w("filter")}>
          <st-button slot="trigger" icon="filter">${w("filter")}</st-button>
          <st-field label=${w("name")}></st-field>
          <p>${w("filterText")}</p>
        </st-popover>
        <st-tooltip text=${w("hint")} keys="t">
          <st-badge icon="clock">${w("duration")}</st-badge>
        </st-tooltip>
        <st-button @click=${() => this.isDialogOpen = true}>${w("open")}</st-button>
        <st-dialog heading=${w("actionDanger")} .open=${this.isDialogOpen}
          @st-close=${() => this.isDialogOpen = false}>
          ${w("dialogText")}
          <st-button slot="actions" variant="quiet" @click=${() => this.isDialogOpen = false}>${w(
            "actionQuiet",
          )}</st-button>
          <st-button slot="actions" variant="danger" autofocus
            @click=${() => this.isDialogOpen = false}>${w("actionDanger")}</st-button>
        </st-dialog>
      </div>
    `;
  }

  #feedback() {
    const words = [
      w("queued"),
      w("waiting"),
      w("running"),
      w("needsYou"),
      w("passed"),
      w("failed"),
      w("actionQuiet"),
    ];
    return html`
      <div class="row">${STATES.map((one, at) =>
        html`<span class="pair"><st-state-mark state=${one}></st-state-mark>${words[at]}</span>`
      )}</div>
      <div class="row">${STATES.map((one, at) => html`<st-badge state=${one}>${words[at]}</st-badge>`)}
        <st-badge>${w("chip")}</st-badge><st-badge icon="lock">${w("action")}</st-badge></div>
      <div class="row">
        <st-progress shape="ring" label=${w("running")} ratio="0.62"></st-progress>
        <st-progress shape="ring" label=${w("running")}></st-progress>
        <st-avatar name="Jane Doe"></st-avatar>
        <st-avatar name="Ada" large></st-avatar>
        <st-avatar name=${w("clip", { n: 1 })} src=${this.picture} shape="square" large></st-avatar>
        <st-copy-text text="0197a2c4-0000-7000-8000-000000000001"></st-copy-text>
      </div>
      <div class="fields">
        <st-progress label=${w("running")} ratio="0.42"></st-progress>
        <st-progress label=${w("running")}></st-progress>
      </div>
      <div class="fields">
        <div class="framed">
          <st-empty icon="clapperboard" heading=${w("empty")} text=${w("emptyText")}>
            <st-button variant="primary" icon="plus">${w("use")}</st-button>
          </st-empty>
        </div>
        <st-error heading=${w("error")} text=${w("errorText")} id-to-copy="0197a2c4-0000-7000">
          <st-button icon="refresh">${w("use")}</st-button>
        </st-error>
        <div>
          <st-skeleton count="3"></st-skeleton>
          <st-skeleton shape="picture"></st-skeleton>
        </div>
        <st-tile name=${w("longName")} detail="6.0 s" state="good" src=${this.picture} .sprite=${this.sprite}
          chip=${w("chip")} mark="0.91" class="short"></st-tile>
        <st-tile name=${w("clip", { n: "030" })} detail="42 %" running .progress=${0.42} state="running"
          src=${this.picture} class="short"></st-tile>
        <st-tile name=${w("clip", { n: "040" })} stale state="attention" src=${this
          .picture} class="short"></st-tile>
      </div>
    `;
  }

  #lists() {
    return html`
      <div class="framed tall">
        <st-grid label=${w("count", { n: HOW_MANY })} .items=${this.samples} tile-size="180"
          .caption=${28} .labelOf=${(one: Sample) => w("clip", { n: one.number })}
          .tile=${(one: Sample) =>
            html`
              <st-tile .name=${w("clip", { n: one.number })} .detail=${one.likeness.toFixed(2)} .src=${this
                .picture}
                .sprite=${this.sprite} .state=${one.likeness > 0.4 ? "good" : "attention"}></st-tile>
            `}></st-grid>
      </div>
      <div class="framed tall">
        <st-splitter ratio="0.3" initial="0.3" label=${w("lists")}>
          <st-tree slot="start" label=${w("project")} .nodes=${tree()} .expanded=${this.expanded}
            selected="clip-1-2"></st-tree>
          <st-table slot="end" label=${w("count", { n: HOW_MANY })} .columns=${columns()} .rows=${this
            .samples}
            .sort=${this.sort} reorder @st-sort=${this.#sortBy}></st-table>
        </st-splitter>
      </div>
    `;
  }

  readonly #sortBy = ({ column, isDescending }: SortEvent) => {
    this.sort = { column, isDescending };
    const key = column === "likeness" ? "likeness" : "number";
    this.samples = this.samples.toSorted((one, other) => (one[key] - other[key]) * (isDescending ? -1 : 1));
  };
}

function columns(): readonly Column<Sample>[] {
  return [
    {
      id: "state",
      label: w("passed"),
      isLabelUnseen: true,
      width: "var(--size-mark)",
      cell: ({ likeness }) =>
        html`<st-state-mark state=${likeness > 0.4 ? "good" : "attention"}></st-state-mark>`,
    },
    {
      id: "number",
      label: w("name"),
      width: "minmax(12ch, 1fr)",
      isSortable: true,
      cell: ({ number }) => w("clip", { n: number }),
    },
    {
      id: "likeness",
      label: w("likeness"),
      width: "12ch",
      align: "end",
      isSortable: true,
      cell: ({ likeness }) => likeness.toFixed(3),
    },
    {
      id: "frames",
      label: w("duration"),
      width: "10ch",
      align: "end",
      cell: ({ number }) => formatCount(number * 24),
    },
  ];
}

function tree(): readonly TreeNode[] {
  const scenes = Array.from({ length: 12 }, (_, scene) => ({
    id: `scene-${scene}`,
    label: w("scene", { n: (scene + 1) * 10 }),
    icon: "layers" as const,
    detail: "8",
    children: Array.from({ length: 8 }, (_, clip) => ({
      id: `clip-${scene}-${clip}`,
      label: clip === 3 ? w("longName") : w("clip", { n: (clip + 1) * 10 }),
      icon: "film" as const,
      state: clip === 2 ? "running" as const : "good" as const,
    })),
  }));
  return [{ id: "project", label: w("project"), icon: "clapperboard", children: scenes }];
}
