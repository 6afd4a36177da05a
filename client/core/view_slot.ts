/** A tab's own place among the views of a workspace: held while the tab lives, free the moment it dies. */
export interface ViewSlot {
  readonly slot: number;
  release(): void;
}

const REMEMBERED = "seedloop.view";
/** A page that is loaded again gives its lock up only a moment later. */
const RELOAD_MS = 400;
const ASK_MS = 120;
const MAX_SLOTS = 64;

/**
 * Claims a view that no other tab of this browser holds: the one this tab had before a reload, else the first free of
 * `preferred`, else the lowest free number from 1.
 */
export async function claimViewSlot(scope: string, preferred: readonly number[]): Promise<ViewSlot> {
  const remembered = Number(sessionStorage.getItem(REMEMBERED) ?? NaN);
  const claims = navigator.locks ? new LockClaims(scope) : await ChannelClaims.open(scope);
  const numbers = Array.from({ length: MAX_SLOTS }, (_, at) => at + 1);
  const order = [...new Set([...preferred, ...numbers])];
  const own = Number.isSafeInteger(remembered) ? await claimAgain(claims, remembered) : undefined;
  const found = own ?? await firstFree(claims, order);
  sessionStorage.setItem(REMEMBERED, String(found.slot));
  return found;
}

interface Claims {
  claim(slot: number): Promise<ViewSlot | undefined>;
}

async function claimAgain(claims: Claims, slot: number): Promise<ViewSlot | undefined> {
  const until = Date.now() + RELOAD_MS;
  for (;;) {
    const claimed = await claims.claim(slot);
    if (claimed || Date.now() > until) return claimed;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function firstFree(claims: Claims, order: readonly number[]): Promise<ViewSlot> {
  for (const slot of order) {
    const claimed = await claims.claim(slot);
    if (claimed) return claimed;
  }
  // So many tabs that it no longer matters whether two of them share one.
  return { slot: MAX_SLOTS + 1, release: () => {} };
}

class LockClaims implements Claims {
  readonly #scope: string;

  constructor(scope: string) {
    this.#scope = scope;
  }

  claim(slot: number): Promise<ViewSlot | undefined> {
    const { promise, resolve } = Promise.withResolvers<ViewSlot | undefined>();
    const held = Promise.withResolvers<void>();
    void navigator.locks.request(`${this.#scope}/${slot}`, { ifAvailable: true }, async (lock) => {
      resolve(lock ? { slot, release: () => held.resolve() } : undefined);
      if (lock) await held.promise;
    });
    return promise;
  }
}

/** For plain HTTP, where browsers have no locks: tabs tell each other what they hold. */
class ChannelClaims implements Claims {
  readonly #channel: BroadcastChannel;
  readonly #held: Set<number>;

  static async open(scope: string): Promise<ChannelClaims> {
    const channel = new BroadcastChannel(scope);
    const held = new Set<number>();
    channel.onmessage = ({ data }) => {
      if (typeof data?.holds === "number") held.add(data.holds);
    };
    channel.postMessage({ asks: true });
    await new Promise((resolve) => setTimeout(resolve, ASK_MS));
    return new ChannelClaims(channel, held);
  }

  private constructor(channel: BroadcastChannel, held: Set<number>) {
    this.#channel = channel;
    this.#held = held;
  }

  claim(slot: number): Promise<ViewSlot | undefined> {
    if (this.#held.has(slot)) return Promise.resolve(undefined);
    const tell = () => this.#channel.postMessage({ holds: slot });
    this.#channel.onmessage = ({ data }) => data?.asks === true && tell();
    tell();
    return Promise.resolve({ slot, release: () => this.#channel.close() });
  }
}
