import type { Command } from "#client/core/commands.ts";
import { auditLog } from "./audit_store.ts";
import { w } from "./words.ts";

const group = () => w("audit");

/** What one does with the audit log. */
export const auditCommands: readonly Command[] = [
  {
    id: "audit.refresh",
    label: () => w("refresh"),
    group,
    icon: "refresh",
    permission: "audit.read",
    scope: "audit",
    run: () => auditLog.read(),
  },
  {
    id: "audit.more",
    label: () => w("more"),
    group,
    icon: "arrowDown",
    permission: "audit.read",
    scope: "audit",
    when: () => auditLog.facts.next !== undefined,
    whyNot: () => w("noMore"),
    run: () => auditLog.readEarlier(),
  },
];
