import { registerCommands } from "#client/core/commands.ts";
import { type Panel, type PanelElement, registerPanels, registerScreens } from "#client/core/panels.ts";
import "./dock.ts";
import { dockCommands } from "./dock_commands.ts";
import { dock } from "./dock_store.ts";
import { listenToKeys } from "./keymap.ts";

/** A dock with a panel that plays and two that stand still, for the tests in a browser. */
export { dock };
export { restorePanelStates } from "#client/core/panels.ts";
export { runCommand } from "#client/core/commands.ts";
export { session } from "#client/auth/session_store.ts";

class TestPanel extends HTMLElement implements PanelElement {
  panel!: Panel;

  connectedCallback() {
    const times = Number(this.dataset.connected ?? 0) + 1;
    this.dataset.connected = String(times);
    if (times > 1) return;
    if (this.localName === "st-test-video") this.append(playing());
    else {
      const long = document.createElement("div");
      long.style.height = "2000px";
      this.append(document.createElement("input"), long);
    }
  }
}

/** A video that plays for ever, of a canvas that changes with each frame. */
function playing(): HTMLVideoElement {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  let frame = 0;
  const draw = () => {
    if (context) context.fillRect(frame++ % 100, 0, 1, 1);
    requestAnimationFrame(draw);
  };
  draw();
  const video = document.createElement("video");
  video.muted = true;
  video.srcObject = canvas.captureStream();
  void video.play();
  return video;
}

customElements.define("st-test-video", class extends TestPanel {});
customElements.define("st-test-one", class extends TestPanel {});
customElements.define("st-test-other", class extends TestPanel {});

/** Puts the dock into the page. */
export function openDock(): void {
  registerPanels(
    (["video", "one", "other"] as const).map((id) => ({
      id,
      title: () => `Panel ${id}`,
      icon: "box",
      tag: `st-test-${id}`,
      load: () => Promise.resolve(),
    })),
  );
  registerScreens([{
    id: "test",
    title: () => "Test",
    icon: "box",
    isOfProject: false,
    layout: {
      split: "row",
      areas: [{ panels: ["video", "one"] }, { panels: ["other"] }],
    },
  }]);
  registerCommands(dockCommands().map((command) => ({ ...command, permission: null })));
  listenToKeys(() => dock.active?.kind);
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(
    "body{margin:0;padding:0;max-width:none} st-dock{width:1000px;height:600px} :root{--size-control-small:24px;--space-half:2px;--space-1:4px}",
  );
  document.adoptedStyleSheets = [sheet];
  document.body.replaceChildren(document.createElement("st-dock"));
}
