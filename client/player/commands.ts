import type { Command } from "#client/core/commands.ts";
import { activePlayback } from "./active_playback.ts";
import type { ShuttleKey } from "./frame_clock.ts";
import { Playback } from "./playback.ts";
import { w } from "./words.ts";

/** Panels in which the player's single keys act. */
export const PLAYER_SCOPE: readonly string[] = ["clip", "clip-timeline", "review"];

function of(target: unknown): Playback | undefined {
  return target instanceof Playback ? target : activePlayback();
}

type Given = Pick<Command, "keys" | "icon" | "isOn" | "repeats"> & {
  readonly label: (playback: Playback | undefined) => string;
  readonly run: (playback: Playback) => void | Promise<void>;
};

function command(id: string, { label, run, ...rest }: Given): Command {
  return {
    id: `player.${id}`,
    label: (target) => label(of(target)),
    group: () => w("group"),
    permission: null,
    scope: PLAYER_SCOPE,
    when: (target) => of(target)?.reel !== undefined,
    whyNot: () => w("nothing"),
    run: (target) => {
      const playback = of(target);
      if (playback) return run(playback);
    },
    ...rest,
  };
}

const shuttle = (id: string, key: ShuttleKey, keys: string[], label: () => string): Command =>
  command(id, { label, keys, run: (playback) => playback.shuttle(key) });

const second = (playback: Playback): number =>
  Math.max(1, Math.round((playback.reel?.rate.num ?? 24) / (playback.reel?.rate.den ?? 1)));

/** What one does with a picture that moves; of the playback given, else of the one touched last. */
export const playerCommands: readonly Command[] = [
  command("toggle", {
    label: () => w("toggle"),
    keys: ["space"],
    run: (playback) => playback.toggle(),
  }),
  command("play", { label: () => w("play"), icon: "play", run: (playback) => playback.play(1) }),
  command("pause", { label: () => w("pause"), icon: "pause", run: (playback) => playback.stop() }),
  command("next-frame", {
    label: () => w("nextFrame"),
    keys: ["arrowright", "."],
    icon: "stepForward",
    repeats: true,
    run: (playback) => playback.step(1),
  }),
  command("previous-frame", {
    label: () => w("previousFrame"),
    keys: ["arrowleft", ","],
    icon: "stepBack",
    repeats: true,
    run: (playback) => playback.step(-1),
  }),
  command("next-second", {
    label: () => w("nextSecond"),
    keys: ["shift+arrowright"],
    repeats: true,
    run: (playback) => playback.step(second(playback)),
  }),
  command("previous-second", {
    label: () => w("previousSecond"),
    keys: ["shift+arrowleft"],
    repeats: true,
    run: (playback) => playback.step(-second(playback)),
  }),
  command("first", {
    label: () => w("first"),
    keys: ["home"],
    icon: "skipBack",
    run: (playback) => playback.seek(playback.range.first),
  }),
  command("last", {
    label: () => w("last"),
    keys: ["end"],
    icon: "skipForward",
    run: (playback) => playback.seek(playback.range.last),
  }),
  shuttle("shuttle-back", "back", ["j"], () => w("shuttleBack")),
  shuttle("shuttle-stop", "stop", ["k"], () => w("shuttleStop")),
  shuttle("shuttle-forward", "forward", ["l"], () => w("shuttleForward")),
  command("loop", {
    label: () => w("loop"),
    keys: ["shift+o"],
    icon: "repeat",
    isOn: (target) => of(target)?.isLooping ?? false,
    run: (playback) => playback.loop(!playback.isLooping),
  }),
  command("mark-in", {
    label: () => w("markIn"),
    keys: ["i"],
    run: (playback) => playback.markIn(),
  }),
  command("mark-out", {
    label: () => w("markOut"),
    keys: ["o"],
    run: (playback) => playback.markOut(),
  }),
  {
    ...command("clear-marks", {
      label: () => w("clearMarks"),
      keys: ["shift+x"],
      run: (playback) => playback.clearMarks(),
    }),
    when: (target) => of(target)?.hasMarks ?? false,
    whyNot: () => w("noMarks"),
  },
  command("reload", { label: () => w("reload"), icon: "repeat", run: (playback) => playback.reload() }),
];
