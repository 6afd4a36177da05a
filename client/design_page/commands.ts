import { theme } from "#client/app/theme.ts";
import { changeTheme } from "#client/app/theme_choice.ts";
import type { Command } from "#client/core/commands.ts";
import { tell } from "#client/core/notices.ts";
import { THEMES } from "#client/design/tokens.ts";
import { themeEditing } from "./theme_editing.ts";
import { THEME_ICONS, themeLabel } from "./theme_names.ts";
import { w } from "./words.ts";

/** Choosing a theme, and what the editor of themes can do. */
export const designCommands: readonly Command[] = [
  ...THEMES.map((name): Command => ({
    id: `design.use_${name.replace("-", "_")}`,
    label: () => w("useTheme", { theme: themeLabel(name) }),
    group: () => w("design"),
    isSetting: true,
    icon: THEME_ICONS[name],
    permission: null,
    keywords: () => "theme Thema contrast Kontrast",
    isOn: () => theme() === name,
    run: () => changeTheme(name, w("useTheme", { theme: themeLabel(name) })),
  })),
  ...editing(),
];

function editing(): Command[] {
  const ofEditor = { group: () => w("design"), permission: "settings.admin", scope: "theme" } as const;
  const isOpen = () => themeEditing() !== undefined;
  const isChanged = () => themeEditing()?.hasDraft() ?? false;
  return [
    {
      ...ofEditor,
      id: "design.save",
      label: () => (themeEditing()?.unreadablePairs().length ?? 0) > 0 ? w("saveAnyway") : w("save"),
      icon: "save",
      keys: ["mod+s"],
      when: isChanged,
      whyNot: () => w("nothingChanged"),
      run: async () => {
        const editor = themeEditing();
        await editor?.saveDraft(editor.unreadablePairs().length > 0);
      },
    },
    {
      ...ofEditor,
      id: "design.discard",
      isForGood: true,
      label: () => w("discard"),
      icon: "undo",
      when: isChanged,
      whyNot: () => w("nothingChanged"),
      run: () => themeEditing()?.discardDraft(),
    },
    {
      ...ofEditor,
      id: "design.reset_token",
      isForGood: true,
      label: () => w("resetToken"),
      icon: "restore",
      when: (path) => typeof path === "string" && (themeEditing()?.changedPaths().includes(path) ?? false),
      whyNot: () => w("resetWhyNot"),
      run: (path) => typeof path === "string" ? themeEditing()?.resetToken(path) : undefined,
    },
    {
      ...ofEditor,
      id: "design.export",
      label: () => w("exportTheme"),
      icon: "download",
      when: isOpen,
      whyNot: () => w("themeEditor"),
      run: () => download(`seedloop.${theme()}.tokens.json`, themeEditing()?.exportTheme() ?? ""),
    },
    {
      ...ofEditor,
      id: "design.import",
      label: () => w("importTheme"),
      icon: "upload",
      when: isOpen,
      whyNot: () => w("themeEditor"),
      run: async () => {
        const text = await chooseFile();
        const faults = text === undefined ? undefined : themeEditing()?.importTheme(text);
        if (!faults) return;
        if (faults.length === 0) tell({ kind: "done", text: w("imported") });
        else {
          const problems = faults.slice(0, 5).map(({ path, problem }) => `${path} ${problem}`.trim());
          tell({ kind: "failed", text: w("importRefused"), error: new Error(problems.join("; ")) });
        }
      },
    },
  ];
}

function download(name: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href));
}

/** The text of a JSON file that one chooses; undefined when one does not. */
function chooseFile(): Promise<string | undefined> {
  const input = document.createElement("input");
  input.type = "file";
  input.accept = ".json,.tokens,application/json";
  const chosen = new Promise<string | undefined>((resolve) => {
    input.addEventListener("change", () => resolve(input.files?.[0]?.text()));
    input.addEventListener("cancel", () => resolve(undefined));
  });
  input.click();
  return chosen;
}
