import type { PanelKind, Screen } from "#client/core/panels.ts";
import { title } from "./titles.ts";

/** People and roles for admins, and one's own account for everybody. */
export const peoplePanels: readonly PanelKind[] = [
  {
    id: "users",
    title: () => title("users"),
    icon: "users",
    tag: "st-users-panel",
    permission: "user.read",
    shows: ["user"],
    load: () => import("./users_panel.ts"),
  },
  {
    id: "roles",
    title: () => title("roles"),
    icon: "shield",
    tag: "st-roles-panel",
    permission: "user.read",
    load: () => import("./roles_panel.ts"),
  },
  {
    id: "tokens",
    title: () => title("tokens"),
    icon: "key",
    tag: "st-tokens-panel",
    permission: "token.own",
    load: () => import("./tokens_panel.ts"),
  },
  {
    id: "sessions",
    title: () => title("sessions"),
    icon: "globe",
    tag: "st-sessions-panel",
    load: () => import("./sessions_panel.ts"),
  },
];

export const peopleScreens: readonly Screen[] = [
  {
    id: "people",
    title: () => title("people"),
    icon: "users",
    permission: "user.read",
    isOfProject: false,
    opens: ["user"],
    keywords: () => title("peopleSettings"),
    layout: { panels: ["users", "roles", "audit"], active: "users" },
  },
  {
    id: "account",
    title: () => title("account"),
    icon: "user",
    isOfProject: false,
    keywords: () => title("accountSettings"),
    layout: { split: "row", areas: [{ panels: ["tokens"] }, { panels: ["sessions"] }] },
  },
];
