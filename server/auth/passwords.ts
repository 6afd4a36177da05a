import { AppError } from "#server/core/errors.ts";

/**
 * Argon2id in a worker of its own (OWASP's minimum: 19 MiB, 2 passes), one at a time: hashing takes 50–100 ms of a
 * core and 19 MiB, so a flood of sign-ins must neither block the event loop nor fill the memory.
 */
export class Passwords {
  #worker: Worker | undefined;
  #next = 1;
  readonly #waiting = new Map<
    number,
    { resolve(value: string | boolean): void; reject(error: Error): void }
  >();

  /** The password as a PHC string. */
  async hash(password: string): Promise<string> {
    return String(await this.#ask({ password: password.normalize("NFKC") }));
  }

  /** Whether the password is that of `phc`. Without one it takes as long and is false: unknown names stay unknown. */
  async verify(password: string, phc: string | null | undefined): Promise<boolean> {
    const isRight = await this.#ask({
      password: password.normalize("NFKC"),
      phc: phc ?? (await this.#decoy()),
    });
    return isRight === true && phc !== null && phc !== undefined;
  }

  close(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#rejectAll("The studio stops: try again when it is back");
  }

  #rejectAll(message: string): void {
    for (const waiting of this.#waiting.values()) waiting.reject(new AppError("busy", message));
    this.#waiting.clear();
  }

  #decoyHash: Promise<string> | undefined;
  #decoy(): Promise<string> {
    return this.#decoyHash ??= this.hash(crypto.randomUUID());
  }

  #ask(question: { password: string; phc?: string }): Promise<string | boolean> {
    if (this.#waiting.size >= 32) {
      throw new AppError(
        "limited",
        "Too many people sign in at the same moment: try again in a few seconds",
        { retryAfterMs: 3000 },
      );
    }
    const worker = this.#worker ??= this.#start();
    const call = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(call, { resolve, reject });
      worker.postMessage({ call, ...question });
    });
  }

  #start(): Worker {
    const worker = new Worker(import.meta.resolve("./password_worker.ts"), { type: "module" });
    worker.onmessage = (
      { data }: MessageEvent<{ call: number; value?: string | boolean; error?: string }>,
    ) => {
      const waiting = this.#waiting.get(data.call);
      this.#waiting.delete(data.call);
      if (data.error !== undefined) waiting?.reject(new Error(data.error));
      else if (data.value !== undefined) waiting?.resolve(data.value);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.#rejectAll(`Passwords could not be checked (${event.message}): try again`);
      this.#worker = undefined;
    };
    return worker;
  }
}

const COMMON = new Set([
  "1234567890",
  "0123456789",
  "password123",
  "password1234",
  "passwordpassword",
  "qwertyuiop",
  "qwerty12345",
  "1q2w3e4r5t",
  "iloveyou12",
  "letmein123",
  "welcome123",
  "admin12345",
  "administrator",
  "changeme123",
  "football123",
  "sunshine123",
  "princess123",
  "monkey12345",
  "dragon12345",
  "superman123",
  "trustno1234",
  "abcdefghij",
  "abcd123456",
  "aaaaaaaaaa",
  "1111111111",
  "0000000000",
  "9876543210",
  "asdfghjkl1",
  "zxcvbnm123",
  "seedloop123",
  "seedloopseedloop",
]);

/** Throws AppError "invalid" for a password that anyone would try first. */
export function refuseWeakPassword(password: string, login: string, field = "/body/password"): void {
  const plain = password.toLowerCase();
  const isWeak = COMMON.has(plain) || new Set(plain).size < 4 ||
    plain.includes(login.toLowerCase()) && login.length > 3;
  if (!isWeak) return;
  throw new AppError("invalid", "This password is too easy to guess", {
    fields: [{
      field,
      message: "choose a longer phrase that is no name and no common password",
    }],
  });
}
