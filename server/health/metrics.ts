/** Upper bounds of the request histogram, in seconds. */
const BUCKETS = [0.005, 0.02, 0.1, 0.5, 2, 10];
const LAG_STEP_MS = 200;

/** One value of a metric, with its labels. */
export interface Sample {
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
  /** Behind the metric's name: "_bucket", "_sum", "_count". */
  readonly suffix?: string;
}

export interface Metric {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly samples: readonly Sample[];
}

/** The Prometheus text format, version 0.0.4. */
export function renderMetrics(metrics: readonly Metric[]): string {
  return metrics.map(({ name, type, help, samples }) =>
    [
      `# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}`,
      `# TYPE ${name} ${type}`,
      ...samples.map((sample) => `${name}${sample.suffix ?? ""}${labelText(sample.labels)} ${sample.value}`),
      "",
    ].join("\n")
  ).join("");
}

function labelText(labels: Readonly<Record<string, string>> = {}): string {
  const pairs = Object.entries(labels).map(([key, value]) =>
    `${key}="${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`
  );
  return pairs.length > 0 ? `{${pairs.join(",")}}` : "";
}

/** Counts answers by method and status and how long they took; never by address, so that it stays small. */
export class RequestMeter {
  readonly #counts = new Map<string, { method: string; status: string; count: number }>();
  readonly #buckets = BUCKETS.map(() => 0);
  #sum = 0;
  #total = 0;

  count(method: string, status: number, seconds: number): void {
    const shown = /^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)$/.test(method) ? method : "OTHER";
    const key = `${shown} ${status}`;
    const entry = this.#counts.get(key) ?? { method: shown, status: String(status), count: 0 };
    entry.count++;
    this.#counts.set(key, entry);
    this.#sum += seconds;
    this.#total++;
    BUCKETS.forEach((bound, index) => {
      if (seconds <= bound) this.#buckets[index] = (this.#buckets[index] ?? 0) + 1;
    });
  }

  metrics(): Metric[] {
    return [
      {
        name: "seedloop_http_requests_total",
        type: "counter",
        help: "Answers by method and status",
        samples: [...this.#counts.values()].map(({ method, status, count }) => ({
          value: count,
          labels: { method, status },
        })),
      },
      {
        name: "seedloop_http_request_seconds",
        type: "histogram",
        help: "How long answers took to begin",
        samples: [
          ...BUCKETS.map((bound, index) => ({
            suffix: "_bucket",
            value: this.#buckets[index] ?? 0,
            labels: { le: String(bound) },
          })),
          { suffix: "_bucket", value: this.#total, labels: { le: "+Inf" } },
          { suffix: "_sum", value: this.#sum },
          { suffix: "_count", value: this.#total },
        ],
      },
    ];
  }
}

/** How late the event loop runs its timers: what every answer waits at least. */
export class LoopLag implements Disposable {
  readonly #timer: ReturnType<typeof setInterval>;
  #last = performance.now();
  #worst = 0;

  constructor() {
    this.#timer = setInterval(() => {
      const now = performance.now();
      this.#worst = Math.max(this.#worst, now - this.#last - LAG_STEP_MS);
      this.#last = now;
    }, LAG_STEP_MS);
    // It must not keep the process alive.
    Deno.unrefTimer(Number(this.#timer));
  }

  /** The worst since the last call, in seconds. */
  take(): number {
    // What blocks now has not been seen by the timer.
    const worst = Math.max(this.#worst, performance.now() - this.#last - LAG_STEP_MS, 0);
    this.#worst = 0;
    return worst / 1000;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
