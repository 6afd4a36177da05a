import { session } from "#client/auth/session_store.ts";
import { type PanelKind, panelKinds, type Screen, screens } from "#client/core/panels.ts";
import { place } from "#client/core/place.ts";

/** Whether one's role may see it. */
export function mayShow({ permission }: Pick<PanelKind | Screen, "permission">): boolean {
  return permission === undefined || session.may(permission);
}

/** The panel kinds that one may show. */
export function allowedPanels(): PanelKind[] {
  return panelKinds().filter(mayShow);
}

/** The places that one may go to. */
export function allowedScreens(): Screen[] {
  return screens().filter(mayShow);
}

/** The place where one's role begins once a project is open; undefined where it is the list of projects. */
export function homeScreen(): Screen | undefined {
  const role = session.me?.role;
  return role && allowedScreens().find(({ isHomeOf }) => isHomeOf?.includes(role));
}

/** Why the place that the address names shows nothing: there is none of that name, or one's role may not see it. */
export function whyNowhere(): "unknown" | "forbidden" | undefined {
  const named = namedScreens();
  if (!named || named.some(mayShow)) return undefined;
  return named.length === 0 ? "unknown" : "forbidden";
}

/** The screen that shows: the one that the place names, or where its entity opens; the first where it names none. */
export function currentScreen(): Screen | undefined {
  const named = namedScreens();
  if (named) return named.find(mayShow);
  const allowed = allowedScreens();
  const { projectId } = place();
  // Without a project there is nothing that a project's screens could show.
  return allowed.find(({ isOfProject }) => projectId !== undefined || !isOfProject) ?? allowed[0];
}

/** The screens that the place names, be it by what opens there; undefined where it names none. */
function namedScreens(): Screen[] | undefined {
  const { screen, entity } = place();
  if (screen !== undefined) return screens().filter(({ id }) => id === screen);
  return entity && screens().filter(({ opens }) => opens?.includes(entity.kind));
}
