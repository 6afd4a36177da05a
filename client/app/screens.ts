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

/** The screen that shows: the one that the place names, else where its entity opens, else the first. */
export function currentScreen(): Screen | undefined {
  const allowed = allowedScreens();
  const { screen, entity, projectId } = place();
  return allowed.find(({ id }) => id === screen) ??
    (entity && allowed.find(({ opens }) => opens?.includes(entity.kind))) ??
    // Without a project there is nothing that a project's screens could show.
    allowed.find(({ isOfProject }) => projectId !== undefined || !isOfProject) ?? allowed[0];
}
