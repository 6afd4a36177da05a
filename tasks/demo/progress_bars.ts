/** Hears how far each step of a journey is. */
export interface Progress {
  set(step: string, ratio: number, note?: string): void;
  done(step: string, note?: string): void;
}

/** Lines on a terminal that show how far each step is; silent where standard error is no terminal. */
export class ProgressBars implements Progress {
  readonly #isOn: boolean;
  readonly #bars = new Map<string, { ratio: number; note: string }>();
  #drawn = 0;

  constructor(isOn: boolean) {
    this.#isOn = isOn && Deno.stderr.isTerminal();
  }

  set(name: string, ratio: number, note = ""): void {
    this.#bars.set(name, { ratio: Math.min(1, Math.max(0, ratio)), note });
    this.#draw();
  }

  done(name: string, note = ""): void {
    this.set(name, 1, note);
  }

  #draw(): void {
    if (!this.#isOn) return;
    const width = 28;
    const lines = [...this.#bars].map(([name, { ratio, note }]) => {
      const full = Math.round(ratio * width);
      return `${name.padEnd(14)} ${"█".repeat(full)}${"░".repeat(width - full)} ${
        String(Math.round(ratio * 100)).padStart(3)
      } %  ${note}`;
    });
    const up = this.#drawn > 0 ? `\x1b[${this.#drawn}A` : "";
    Deno.stderr.writeSync(
      new TextEncoder().encode(up + lines.map((line) => `\x1b[2K${line.slice(0, 110)}\n`).join("")),
    );
    this.#drawn = lines.length;
  }
}
