import { signal } from "@lit-labs/signals";
import { type Command, registerCommands } from "#client/core/commands.ts";
import { follow } from "#client/core/follow.ts";
import { tell } from "#client/core/notices.ts";
import { type Note, undoable } from "#client/core/undoable.ts";
import { workspace } from "#client/core/workspace.ts";
import { w } from "./words.ts";

const asked = signal<"create" | "rename" | undefined>(undefined);

/** What the form of the workspace asks for, if it is open. */
export function workspaceAsk(): "create" | "rename" | undefined {
  return asked.get();
}

export function askForWorkspace(ask: "create" | "rename" | undefined): void {
  asked.set(ask);
}

const noteRemoved: Note<{ readonly workspaceId: string }> = undoable<{ readonly workspaceId: string }>(
  "workspace.remove",
  {
    undo: async ({ workspaceId }) => {
      await workspace.change(workspaceId, { isRemoved: false });
      await workspace.choose(workspaceId);
    },
    redo: ({ workspaceId }) => workspace.change(workspaceId, { isRemoved: true }),
  },
);

const shared = { group: () => w("workspaces"), permission: null } as const;
const isReady = () => workspace.current !== undefined;

/** What can be done with workspaces as such. */
export const workspaceCommands: readonly Command[] = [
  {
    ...shared,
    id: "workspace.create",
    label: () => w("createWorkspace"),
    icon: "plus",
    keywords: () => "workspace Arbeitsplatz",
    when: isReady,
    whyNot: () => w("workspaceOpening"),
    run: () => asked.set("create"),
  },
  {
    ...shared,
    id: "workspace.rename",
    label: () => w("renameWorkspace"),
    icon: "edit",
    when: isReady,
    whyNot: () => w("workspaceOpening"),
    run: () => asked.set("rename"),
  },
  {
    ...shared,
    id: "workspace.remove",
    label: () => w("removeWorkspace"),
    icon: "trash",
    isDanger: true,
    when: () => isReady() && workspace.list.length > 1,
    whyNot: () => w("onlyWorkspace"),
    run: async () => {
      const { current } = workspace;
      if (!current) return;
      await workspace.change(current.id, { isRemoved: true });
      // Into the history of the one that is open now: the other's went with it.
      const text = w("workspaceRemoved", { name: current.name });
      tell({ kind: "done", text, undo: noteRemoved(text, { workspaceId: current.id }) });
    },
  },
];

/** Commands of workspaces, one for each to choose it, until the returned function is called. */
export function followWorkspaces(): () => void {
  let known = "";
  let remove = () => {};
  const stop = follow(() => {
    const list = workspace.list.map(({ id, name }) => ({ id, name }));
    const now = JSON.stringify(list);
    if (now === known) return;
    known = now;
    // Registering reads the list of commands, which is not to be followed here.
    queueMicrotask(() => {
      remove();
      remove = registerCommands([...workspaceCommands, ...list.map(chooseCommand)]);
    });
  });
  return () => {
    stop();
    remove();
  };
}

function chooseCommand({ id, name }: { readonly id: string; readonly name: string }): Command {
  return {
    ...shared,
    id: `workspace.choose.${id}`,
    label: () => w("chooseWorkspace", { name }),
    icon: "grid",
    isOn: () => workspace.current?.id === id,
    run: async () => {
      if (workspace.current?.id !== id) await workspace.choose(id);
    },
  };
}
