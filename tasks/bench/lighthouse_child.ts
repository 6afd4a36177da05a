/**
 * Runs Lighthouse on one page of a browser that is open already, and says its scores as JSON. Arguments: the
 * browser's debugging port, the address. It is fetched when a bench asks for it and is in no import map: 170 MB that
 * no studio needs; the name is put together out of the installer's sight.
 */
const LIGHTHOUSE = ["npm:lighthouse", "13.5.0"].join("@");
const CATEGORIES = ["performance", "accessibility", "best-practices"] as const;

interface Lighthouse {
  default(
    url: string,
    flags: Readonly<Record<string, unknown>>,
    config: unknown,
  ): Promise<{ lhr: LighthouseResult } | undefined>;
  desktopConfig: unknown;
}

interface LighthouseResult {
  readonly finalDisplayedUrl: string;
  readonly categories: Readonly<
    Record<string, { readonly score: number | null; readonly auditRefs: Audit[] }>
  >;
  readonly audits: Readonly<
    Record<string, { readonly score: number | null; readonly title: string; readonly numericValue?: number }>
  >;
}

interface Audit {
  readonly id: string;
  readonly weight: number;
}

if (import.meta.main) {
  const [port = "", url = ""] = Deno.args;
  // Typed by hand: what it promises us is these few fields.
  const { default: lighthouse, desktopConfig } = await import(LIGHTHOUSE) as Lighthouse;
  const flags = {
    port: Number(port),
    disableStorageReset: true,
    onlyCategories: CATEGORIES,
    logLevel: "silent",
  };
  const lhr = (await lighthouse(url, flags, desktopConfig))?.lhr;
  if (!lhr) throw new Error(`Cannot judge ${url}: Lighthouse gave no result`);
  const faults = Object.values(lhr.categories).flatMap(({ auditRefs }) =>
    auditRefs.filter(({ id, weight }) => weight > 0 && (lhr.audits[id]?.score ?? 1) < 0.9).map(({ id }) => id)
  );
  const read = (id: string) => lhr.audits[id]?.numericValue ?? NaN;
  console.log(JSON.stringify({
    url: lhr.finalDisplayedUrl,
    ...Object.fromEntries(
      CATEGORIES.map((name) => [name, Math.round(100 * (lhr.categories[name]?.score ?? 0))]),
    ),
    largestPaintMs: read("largest-contentful-paint"),
    blockedMs: read("total-blocking-time"),
    shift: read("cumulative-layout-shift"),
    faults,
  }));
}
