import { signal } from "@lit-labs/signals";
import type { Rate } from "#server/core/media_time.ts";
import { centreOf, clampFrame, frameStartingAt, shuttle, type ShuttleKey } from "./frame_clock.ts";

/** What is played: a constant-rate file whose frame n is the master's frame n (SPEC rule 13). */
export interface Reel {
  readonly src: string;
  readonly rate: Rate;
  readonly frames: number;
  readonly poster?: string | undefined;
}

/** From and to which frame, both included. */
export interface FrameRange {
  readonly first: number;
  readonly last: number;
}

/** The in and out marks, where they are set. */
export interface Marks {
  readonly first?: number | undefined;
  readonly last?: number | undefined;
}

/** No picture takes longer from its seek to the screen, unless it is not painted at all. */
const SEEN_WITHIN_MS = 120;
/**
 * Of two seeks right after one another Chromium may leave the first one's picture on the screen for up to a second, though
 * it says that the other one shows and a canvas gets that. Another seek within the same frame brings it up.
 */
const NUDGE = { afterMs: 40, seconds: 0.000_5 };
const STILL: Rate = { num: 24, den: 1 };

/**
 * One reel and where it stands, to the frame. It owns its `<video>`, so that the picture and its place outlive every
 * element that shows them. Signals tell what there is; verbs change it.
 */
export class Playback {
  readonly video: HTMLVideoElement = document.createElement("video");
  readonly #reel = signal<Reel | undefined>(undefined);
  readonly #frame = signal(0);
  readonly #speed = signal(0);
  readonly #marks = signal<Marks>({});
  readonly #isLooping = signal(true);
  readonly #problem = signal<string | undefined>(undefined);
  readonly #isReady = signal(false);
  /** The frame that was asked for while another one was on its way. */
  #next: number | undefined;
  #seeking: Promise<void> | undefined;
  /** The frame that is known to show while it stands. */
  #seen: number | undefined;
  #turn = 0;
  #nudge: ReturnType<typeof setTimeout> | undefined;
  /** We have paused it, not the browser. */
  #isHeld = true;

  constructor() {
    const { video } = this;
    video.preload = "auto";
    video.playsInline = true;
    video.disablePictureInPicture = true;
    video.addEventListener("loadeddata", () => this.#arrive());
    video.addEventListener("error", () => this.#fail());
    video.addEventListener("ended", () => this.#reachEnd());
    // A browser stops a video that is taken out of the page; ours goes on where it is put.
    video.addEventListener("pause", () => this.#resume());
  }

  get reel(): Reel | undefined {
    return this.#reel.get();
  }

  /** The frame that shows, or is about to. */
  get frame(): number {
    return this.#frame.get();
  }

  /** 0 stands, 1 is normal, negative goes back. */
  get speed(): number {
    return this.#speed.get();
  }

  get isPlaying(): boolean {
    return this.#speed.get() !== 0;
  }

  /** Play starts again at the first frame of the range, instead of stopping on the last. */
  get isLooping(): boolean {
    return this.#isLooping.get();
  }

  /** What play stays within: all, or from the in mark to the out mark. */
  get range(): FrameRange {
    const end = Math.max(0, (this.reel?.frames ?? 1) - 1);
    const { first = 0, last = end } = this.#marks.get();
    return { first: Math.min(first, end), last: Math.min(last, end) };
  }

  get marks(): Marks {
    return this.#marks.get();
  }

  get hasMarks(): boolean {
    const { first, last } = this.#marks.get();
    return first !== undefined || last !== undefined;
  }

  /** Why nothing can be shown, as a code that the element has words for. */
  get problem(): string | undefined {
    return this.#problem.get();
  }

  /** The first picture is there. */
  get isReady(): boolean {
    return this.#isReady.get();
  }

  /** Puts a reel on. The same file again changes nothing; another one of the same length keeps the place. */
  load(reel: Reel | undefined, frame?: number): void {
    const before = this.reel;
    if (before?.src === reel?.src && before?.frames === reel?.frames) return;
    this.#turn++;
    this.#speed.set(0);
    this.#problem.set(undefined);
    this.#isReady.set(false);
    this.#seen = undefined;
    this.#reel.set(reel);
    if (before && before.frames !== reel?.frames) this.#marks.set({});
    this.#frame.set(clampFrame(frame ?? this.frame, 0, Math.max(0, (reel?.frames ?? 1) - 1)));
    this.#next = undefined;
    if (reel) {
      this.video.poster = reel.poster ?? "";
      this.video.src = reel.src;
    } else this.video.removeAttribute("src");
    this.video.load();
  }

  /** Loads the same reel anew, after it failed. */
  reload(): void {
    const { reel } = this;
    this.load(undefined, this.frame);
    this.load(reel, this.frame);
  }

  /** Stops, and shows this frame; done when it shows. Of several in a row the last one counts. */
  async seek(frame: number): Promise<void> {
    this.#speed.set(0);
    this.#turn++;
    this.#hold();
    await this.#show(frame);
  }

  async step(count: number): Promise<void> {
    await this.seek(this.frame + count);
  }

  async toggle(): Promise<void> {
    if (this.isPlaying) await this.stop();
    else await this.play(1);
  }

  async shuttle(key: ShuttleKey): Promise<void> {
    const speed = shuttle(this.speed, key);
    if (speed === 0) await this.stop();
    else await this.play(speed);
  }

  /** Stands on the very frame that showed last. */
  async stop(): Promise<void> {
    await this.seek(this.frame);
  }

  async play(speed: number): Promise<void> {
    const { reel, range } = this;
    if (!reel || speed === 0) return;
    const turn = ++this.#turn;
    this.#speed.set(speed);
    const isSpent = speed > 0 ? this.frame >= range.last : this.frame <= range.first;
    if (isSpent || this.frame < range.first || this.frame > range.last) {
      await this.#show(speed > 0 ? range.first : range.last);
      if (turn !== this.#turn) return;
    }
    if (speed < 0) return void this.#playBack(turn, reel.rate);
    this.#isHeld = false;
    this.#seen = undefined;
    this.video.playbackRate = speed;
    this.#watch(turn, reel.rate);
    // Refused where the page has not been touched yet, and cut short by a stop right after it.
    await this.video.play().catch(() => {
      if (turn === this.#turn) this.#speed.set(0);
    });
  }

  markIn(frame: number | undefined = this.frame): void {
    const { last } = this.#marks.get();
    this.#mark(frame, last !== undefined && frame !== undefined && last <= frame ? undefined : last);
  }

  markOut(frame: number | undefined = this.frame): void {
    const { first } = this.#marks.get();
    this.#mark(first !== undefined && frame !== undefined && first >= frame ? undefined : first, frame);
  }

  clearMarks(): void {
    this.#marks.set({});
  }

  putMarks(marks: Marks): void {
    this.#mark(marks.first, marks.last);
  }

  loop(isLooping: boolean): void {
    this.#isLooping.set(isLooping);
  }

  dispose(): void {
    this.load(undefined);
  }

  #mark(first: number | undefined, last: number | undefined): void {
    this.#marks.set({ ...(first === undefined ? {} : { first }), ...(last === undefined ? {} : { last }) });
  }

  #arrive(): void {
    this.#isReady.set(true);
    void this.#show(this.frame);
  }

  #fail(): void {
    // Taking the source away is no failure.
    if (!this.reel || !this.video.hasAttribute("src")) return;
    this.#speed.set(0);
    this.#problem.set(this.video.error?.code === MediaError.MEDIA_ERR_NETWORK ? "network" : "unplayable");
  }

  #hold(): void {
    this.#isHeld = true;
    this.video.pause();
  }

  #resume(): void {
    if (this.speed > 0 && !this.video.ended && !this.#isHeld) void this.video.play().catch(() => {});
  }

  /** Follows the pictures as they appear, and turns at the end of the range. */
  #watch(turn: number, rate: Rate): void {
    this.video.requestVideoFrameCallback((_, { mediaTime }) => {
      if (turn !== this.#turn) return;
      const frame = frameStartingAt(mediaTime, rate);
      if (frame >= this.range.last) return this.#turnAround(turn);
      this.#frame.set(frame);
      this.#watch(turn, rate);
    });
  }

  /** Play has come to the end of the file before it was seen at the end of the range. */
  #reachEnd(): void {
    if (this.speed > 0) this.#turnAround(this.#turn);
  }

  #turnAround(turn: number): void {
    const { speed, range, isLooping } = this;
    if (turn !== this.#turn) return;
    this.#frame.set(range.last);
    if (isLooping) void this.#playAgain(turn, speed, range.first);
    else void this.seek(range.last);
  }

  async #playAgain(turn: number, speed: number, first: number): Promise<void> {
    const { num, den } = this.reel?.rate ?? STILL;
    // The last frame has its time, too.
    await wait((1000 * den) / num / speed);
    if (turn !== this.#turn) return;
    this.#hold();
    await this.#show(first);
    if (turn === this.#turn) await this.play(speed);
  }

  /** No browser plays back: frames are asked for one by one, leaving out those that there is no time for. */
  async #playBack(turn: number, rate: Rate): Promise<void> {
    this.#hold();
    let from = this.frame;
    let since = performance.now();
    while (turn === this.#turn) {
      const passed = ((performance.now() - since) / 1000) * (rate.num / rate.den) * -this.speed;
      const wanted = from - Math.floor(passed);
      const { first, last } = this.range;
      if (wanted <= first) {
        await this.#show(first);
        if (turn !== this.#turn) return;
        if (!this.isLooping) return void this.#speed.set(0);
        from = last;
        since = performance.now();
        await this.#show(last);
      } else if (wanted !== this.frame) await this.#show(wanted);
      else await new Promise((resolve) => requestAnimationFrame(resolve));
    }
  }

  /** One seek at a time: browsers that get many drop the pictures between, and show none until the last. */
  async #show(frame: number): Promise<void> {
    const { reel } = this;
    if (!reel) return;
    this.#frame.set(clampFrame(frame, 0, reel.frames - 1));
    this.#next = this.frame;
    if (this.video.readyState < HTMLMediaElement.HAVE_METADATA) return;
    this.#seeking ??= this.#seekUntilThere().finally(() => this.#seeking = undefined);
    await this.#seeking;
  }

  async #seekUntilThere(): Promise<void> {
    const { video } = this;
    while (this.#next !== undefined) {
      const { reel } = this;
      const frame = this.#next;
      this.#next = undefined;
      // What was put on a moment ago is sought when it arrives.
      if (!reel || video.readyState < HTMLMediaElement.HAVE_METADATA) continue;
      const isAt = Math.abs(video.currentTime - centreOf(frame, reel.rate)) < 2 * NUDGE.seconds;
      if (this.#seen === frame && isAt && !video.seeking) continue;
      const isThere = once(video, ["seeked", "emptied", "error"]);
      const isSeen = this.#see(frame, reel.rate);
      video.currentTime = centreOf(frame, reel.rate);
      await isThere;
      // A seek is over a moment before its picture shows; where nothing is painted, none ever will.
      if (document.visibilityState === "visible") await Promise.race([isSeen, wait(SEEN_WITHIN_MS)]);
      if (this.reel !== reel) continue;
      this.#seen = frame;
      this.#nudgeSoon(centreOf(frame, reel.rate) + NUDGE.seconds);
    }
  }

  #nudgeSoon(time: number): void {
    clearTimeout(this.#nudge);
    this.#nudge = setTimeout(() => {
      const isIdle = !this.isPlaying && this.#seeking === undefined && !this.video.seeking;
      if (this.reel && isIdle) this.video.currentTime = time;
    }, NUDGE.afterMs);
  }

  #see(frame: number, rate: Rate): Promise<void> {
    return new Promise((resolve) => {
      const look = (_: number, { mediaTime }: VideoFrameCallbackMetadata) => {
        if (frameStartingAt(mediaTime, rate) === frame) resolve();
        else if (this.#next === undefined) this.video.requestVideoFrameCallback(look);
      };
      this.video.requestVideoFrameCallback(look);
    });
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function once(target: EventTarget, names: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const name of names) target.removeEventListener(name, done);
      resolve();
    };
    for (const name of names) target.addEventListener(name, done);
  });
}
