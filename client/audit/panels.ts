import type { PanelKind } from "#client/core/panels.ts";
import { w } from "./words.ts";

/** Who did what, when and from where. */
export const auditPanels: readonly PanelKind[] = [{
  id: "audit",
  title: () => w("audit"),
  icon: "history",
  tag: "st-audit-panel",
  permission: "audit.read",
  actions: ["audit.refresh"],
  load: () => import("./audit_panel.ts"),
}];
