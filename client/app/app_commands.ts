import type { Command } from "#client/core/commands.ts";
import type { Screen } from "#client/core/panels.ts";
import { go, place } from "#client/core/place.ts";
import { chooseLanguage, type Language, language } from "#client/core/words.ts";
import type { ProjectCard } from "#server/projects/contract.ts";
import { dock } from "./dock_store.ts";
import { allowSingleKeys, singleKeys } from "./keymap.ts";
import { currentScreen } from "./screens.ts";
import { signOut } from "./sign_out.ts";
import { theme } from "./theme.ts";
import { changeTheme } from "./theme_choice.ts";
import { w } from "./words.ts";

/** What only the shell can do. */
export interface ShellVerbs {
  openPalette(text?: string): void | Promise<void>;
  openKeySheet(): void | Promise<void>;
  /** Puts the focus into the next area, or the one before. */
  focusArea(by: 1 | -1): void;
}

/** Commands of the studio itself. */
export function appCommands(verbs: ShellVerbs): Command[] {
  const view = { group: () => w("view"), permission: null } as const;
  return [
    {
      ...view,
      id: "app.palette",
      label: () => w("palette"),
      icon: "search",
      keys: ["mod+k"],
      run: () => verbs.openPalette(),
    },
    {
      ...view,
      id: "app.keys",
      label: () => w("keySheet"),
      icon: "keyboard",
      keys: ["?"],
      keywords: () => "shortcuts hotkeys keyboard bindings Tastatur Kürzel Belegung",
      isSetting: true,
      run: () => verbs.openKeySheet(),
    },
    {
      ...view,
      id: "app.focus_mode",
      label: () => dock.isFocused ? w("leaveFocusMode") : w("focusMode"),
      keywords: () => w("focusMode"),
      icon: "focus",
      keys: ["mod+."],
      isOn: () => dock.isFocused,
      run: () => dock.focusOnActive(!dock.isFocused),
    },
    {
      ...view,
      id: "app.leave_focus_mode",
      label: () => w("leaveFocusMode"),
      icon: "close",
      keys: ["escape"],
      when: () => dock.isFocused,
      run: () => dock.focusOnActive(false),
    },
    {
      ...view,
      id: "app.next_area",
      label: () => w("nextArea"),
      icon: "arrowRight",
      keys: ["f6"],
      run: () => verbs.focusArea(1),
    },
    {
      ...view,
      id: "app.previous_area",
      label: () => w("previousArea"),
      icon: "arrowLeft",
      keys: ["shift+f6"],
      run: () => verbs.focusArea(-1),
    },
    ...settings(),
  ];
}

const otherTheme = () => theme() === "dark" ? w("lightTheme") : w("darkTheme");

function settings(): Command[] {
  const setting = { group: () => w("settings"), permission: null, isSetting: true } as const;
  const speak = (id: string, to: Language, label: () => string): Command => ({
    ...setting,
    id,
    label,
    icon: "languages",
    isOn: () => language() === to,
    keywords: () => "language Sprache",
    run: () => chooseLanguage(to),
  });
  return [
    {
      ...setting,
      id: "app.theme",
      label: otherTheme,
      icon: "contrast",
      keywords: () => "theme dark light Thema dunkel hell",
      run: () => changeTheme(theme() === "dark" ? "light" : "dark", otherTheme()),
    },
    speak("app.english", "en", () => w("english")),
    speak("app.german", "de", () => w("german")),
    {
      ...setting,
      id: "app.single_keys",
      label: () => w("singleKeys"),
      icon: "keyboard",
      isOn: singleKeys,
      keywords: () => "shortcuts hotkeys keyboard Tastatur Kürzel",
      run: () => allowSingleKeys(!singleKeys()),
    },
    {
      ...setting,
      isSetting: false,
      id: "app.sign_out",
      label: () => w("signOut"),
      icon: "signOut",
      run: signOut,
    },
  ];
}

/** One command for each place of the top bar. */
export function screenCommands(screens: readonly Screen[]): Command[] {
  return screens.map((screen): Command => ({
    id: `go.${screen.id}`,
    label: () => w("goTo", { place: screen.title() }),
    group: () => w("place"),
    icon: screen.icon,
    permission: screen.permission ?? null,
    keywords: () => screen.keywords?.() ?? "",
    isOn: () => currentScreen()?.id === screen.id,
    run: () => go({ screen: screen.id }),
  }));
}

/** One command for each project. */
export function projectCommands(projects: readonly ProjectCard[]): Command[] {
  return projects.map(({ id, name }): Command => ({
    id: `open_project.${id}`,
    label: () => w("openProject", { name }),
    group: () => w("projects"),
    icon: "folder",
    permission: "project.read",
    run: () => go({ projectId: id, screen: place().screen }),
  }));
}
