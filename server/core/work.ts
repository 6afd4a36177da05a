/**
 * How much there is to make, in megapixels × frames: run times of one kind of work are compared by it across sizes.
 * A size that is not told counts as one megapixel, frames as one; undefined when neither is told.
 */
export function workOf(
  { width, height, frames }: {
    readonly width?: unknown;
    readonly height?: unknown;
    readonly frames?: unknown;
  },
): number | undefined {
  const megapixels = typeof width === "number" && typeof height === "number"
    ? width * height / 1e6
    : undefined;
  const count = typeof frames === "number" ? frames : undefined;
  if (megapixels === undefined && count === undefined) return undefined;
  const work = (megapixels ?? 1) * (count ?? 1);
  return work > 0 && Number.isFinite(work) ? work : undefined;
}
