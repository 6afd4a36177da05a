import type { MiddlewareHandler } from "hono";
import { AppError } from "#server/core/errors.ts";
import { clientIp, type HttpEnv } from "./http_env.ts";

export interface BucketRule {
  /** How many may come at once. */
  readonly capacity: number;
  /** How many come back each second. */
  readonly perSecond: number;
}

interface Bucket {
  tokens: number;
  at: number;
}

const MAX_BUCKETS = 20_000;

/** Token buckets by key: a burst up to the capacity, then a steady rate. Full buckets are forgotten. */
export class RateLimit {
  readonly #buckets = new Map<string, Bucket>();
  readonly #rule: BucketRule;
  readonly #now: () => number;

  /** @param now Milliseconds from any start, never going back. */
  constructor(rule: BucketRule, now: () => number = () => performance.now()) {
    this.#rule = rule;
    this.#now = now;
  }

  /** Takes `cost` tokens: 0 when there were enough, else the milliseconds until there will be (none taken). */
  take(key: string, cost = 1): number {
    const now = this.#now();
    const bucket = this.#buckets.get(key) ?? { tokens: this.#rule.capacity, at: now };
    const tokens = this.#filled(bucket, now);
    this.#buckets.delete(key);
    this.#buckets.set(key, { tokens: tokens < cost ? tokens : tokens - cost, at: now });
    if (this.#buckets.size > MAX_BUCKETS) this.#forget(now);
    return tokens < cost ? Math.ceil(((cost - tokens) / this.#rule.perSecond) * 1000) : 0;
  }

  /** Takes `cost` tokens or throws AppError("limited") with the time to wait. */
  require(key: string, cost = 1): void {
    const retryAfterMs = this.take(key, cost);
    if (retryAfterMs === 0) return;
    throw new AppError("limited", "Cannot answer so many requests at once: slow down and try again", {
      retryAfterMs,
    });
  }

  #filled(bucket: Bucket, now: number): number {
    const gained = ((now - bucket.at) / 1000) * this.#rule.perSecond;
    return Math.min(this.#rule.capacity, bucket.tokens + gained);
  }

  /** Drops full buckets, then the longest unused: an attacker with many addresses must not fill the memory. */
  #forget(now: number): void {
    for (const [key, bucket] of this.#buckets) {
      if (this.#filled(bucket, now) >= this.#rule.capacity) this.#buckets.delete(key);
    }
    for (const key of this.#buckets.keys()) {
      if (this.#buckets.size <= MAX_BUCKETS / 2) return;
      this.#buckets.delete(key);
    }
  }
}

/** One bucket per peer address. */
export function limitRate(limit: RateLimit): MiddlewareHandler<HttpEnv> {
  return async (context, next) => {
    limit.require(clientIp(context));
    await next();
  };
}

/**
 * At most `max` requests of one address at a time: this runtime has no header or body timeout, so slow senders
 * would otherwise hold what they open. A request counts until its answer is sent.
 */
export function limitInFlight(max: number): MiddlewareHandler<HttpEnv> {
  const inFlight = new Map<string, number>();
  return async (context, next) => {
    const ip = clientIp(context);
    const now = (inFlight.get(ip) ?? 0) + 1;
    if (now > max) {
      throw new AppError(
        "limited",
        `Cannot answer more than ${max} requests of one machine at a time: wait for some`,
        {
          retryAfterMs: 1000,
        },
      );
    }
    inFlight.set(ip, now);
    const release = () => {
      const left = (inFlight.get(ip) ?? 1) - 1;
      if (left > 0) inFlight.set(ip, left);
      else inFlight.delete(ip);
    };
    const completed = context.env?.completed;
    if (completed) completed.then(release, release);
    try {
      await next();
    } finally {
      if (!completed) release();
    }
  };
}
