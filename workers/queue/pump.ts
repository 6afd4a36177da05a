/**
 * Does `work` whenever it is woken, never twice at once; woken while at it, it does it once more. When `work` throws,
 * `failed` is told and is to wake it again later.
 */
export class Pump {
  readonly #work: () => Promise<void>;
  readonly #failed: (error: unknown) => void;
  #state: "idle" | "busy" | "again" = "idle";

  constructor(work: () => Promise<void>, failed: (error: unknown) => void) {
    this.#work = work;
    this.#failed = failed;
  }

  get isBusy(): boolean {
    return this.#state !== "idle";
  }

  async wake(): Promise<void> {
    if (this.#state !== "idle") {
      this.#state = "again";
      return;
    }
    try {
      do {
        this.#state = "busy";
        await this.#work();
        // The work's own wake-ups change it, which the compiler doesn't see.
      } while ((this.#state as string) === "again");
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#state = "idle";
    }
  }
}
