import { follow } from "#client/core/follow.ts";
import { type PanelStates, panelStates, restorePanelStates } from "#client/core/panels.ts";
import { go, type Place, place, select, type Selection, selection } from "#client/core/place.ts";
import { workspace } from "#client/core/workspace.ts";
import type { PanelRef } from "./layout.ts";

/** What windows of one person's one studio tell each other. */
type Message =
  | { readonly t: "place"; readonly place: Place }
  | { readonly t: "selection"; readonly selection: Selection | undefined }
  | { readonly t: "states"; readonly states: PanelStates }
  | { readonly t: "who" }
  | { readonly t: "here"; readonly panelId: string }
  | { readonly t: "gone"; readonly panelId: string };

/** A window that says nothing for this long is gone, however it went. */
const ANSWER_MS = 2_000;
/** A window that lived when this page was loaded answers at once; on another machine none does. */
const FIRST_ANSWER_MS = 400;
const FEATURES = "popup,width=960,height=640";
const CHANNEL = "seedloop.window";

/** Panels whose windows this page has opened: they may still be loading. */
const openedHere = new Set<string>();

/** The panel that this window was opened for; undefined in the studio's own window. */
export function panelOfWindow(search: string = location.search): PanelRef | undefined {
  const asked = new URLSearchParams(search);
  const id = asked.get("panel");
  const kind = asked.get("kind");
  return id && kind ? { id, kind } : undefined;
}

/** Opens a window for a panel; false where the browser does not. */
export function openPanelWindow({ id, kind }: PanelRef): boolean {
  const view = String(ownerSlot() ?? workspace.slot ?? "");
  const asked = new URLSearchParams({ panel: id, kind, channel: channelName(), view });
  openedHere.add(id);
  return open(`${location.pathname}?${asked}`, `seedloop.${id}`, FEATURES) !== null;
}

/** The view of the tab that opened this window; undefined in the studio's own. */
export function ownerSlot(search: string = location.search): number | undefined {
  const slot = Number(new URLSearchParams(search).get("view") || NaN);
  return Number.isSafeInteger(slot) ? slot : undefined;
}

/** Each tab of the studio has its own windows: two tabs stay apart. */
function channelName(): string {
  const asked = new URLSearchParams(location.search).get("channel");
  if (asked) return asked;
  const kept = sessionStorage.getItem(CHANNEL);
  if (kept) return kept;
  const fresh = `${CHANNEL}.${Math.random().toString(36).slice(2)}`;
  sessionStorage.setItem(CHANNEL, fresh);
  return fresh;
}

export interface WindowsListener {
  /** A panel has a window of its own: one that was just opened, or loaded anew. */
  opened(panelId: string): void;
  /** A panel's window was closed, or is no longer there. */
  closed(panelId: string): void;
  /** Panels that are supposed to be in windows. */
  expected(): readonly PanelRef[];
}

/**
 * Keeps place, selection and the panels' memories the same in all windows of this studio, until the returned
 * function is called; so a playhead that a panel keeps in its state is followed everywhere.
 */
export function joinWindows(listener: WindowsListener): () => void {
  const channel = new BroadcastChannel(channelName());
  const own = panelOfWindow();
  const here = new Set<string>();
  const send = (message: Message) => channel.postMessage(message);
  let states = panelStates();
  let at = JSON.stringify(place());
  let chosen = JSON.stringify(selection());

  channel.onmessage = ({ data }: MessageEvent<Message>) => {
    if (data.t === "place") {
      at = JSON.stringify(data.place);
      if (at !== JSON.stringify(place())) goAlong(data.place, own !== undefined);
    } else if (data.t === "selection") {
      chosen = JSON.stringify(data.selection);
      if (data.selection) select(data.selection.kind, data.selection.ids);
    } else if (data.t === "states") {
      states = { ...panelStates(), ...data.states };
      restorePanelStates(states);
    } else if (data.t === "who" && own) send({ t: "here", panelId: own.id });
    else if (data.t === "here") {
      here.add(data.panelId);
      if (!own) listener.opened(data.panelId);
    } else if (data.t === "gone" && !own) listener.closed(data.panelId);
  };

  const unfollow = [
    follow(() => {
      const now = place();
      if (JSON.stringify(now) === at) return;
      at = JSON.stringify(now);
      send({ t: "place", place: now });
    }),
    follow(() => {
      const now = selection();
      if (JSON.stringify(now) === chosen) return;
      chosen = JSON.stringify(now);
      send({ t: "selection", selection: now });
    }),
    follow(() => {
      const now = panelStates();
      const changed = Object.entries(now).filter(([id, state]) => state !== states[id]);
      states = now;
      if (changed.length > 0) send({ t: "states", states: Object.fromEntries(changed) });
    }),
  ];
  const leave = () => own && send({ t: "gone", panelId: own.id });
  addEventListener("pagehide", leave);
  if (own) send({ t: "here", panelId: own.id });
  let isAsked = false;
  const ask = () => {
    const expected = listener.expected();
    if (isAsked) { for (const { id } of expected) if (!here.has(id)) listener.closed(id); }
    here.clear();
    isAsked = expected.length > 0;
    if (isAsked) send({ t: "who" });
  };
  const timer = own ? undefined : setInterval(ask, ANSWER_MS);
  let first: ReturnType<typeof setTimeout> | undefined;
  const closeUnheard = () => {
    for (const { id } of listener.expected()) if (!here.has(id) && !openedHere.has(id)) listener.closed(id);
  };
  if (!own) {
    unfollow.push(follow(() => {
      if (first !== undefined || listener.expected().length === 0) return;
      send({ t: "who" });
      first = setTimeout(closeUnheard, FIRST_ANSWER_MS);
    }));
  }

  return () => {
    clearInterval(timer);
    clearTimeout(first);
    removeEventListener("pagehide", leave);
    for (const stop of unfollow) stop();
    channel.close();
  };
}

/** A panel's window has no history of its own to go back in. */
function goAlong(to: Place, isPanelWindow: boolean): void {
  go(to, { replace: isPanelWindow });
}
