/** A colour as the Design Tokens Color Module 2025.10 writes it, in the spaces that Seedloop knows. */
export interface Colour {
  /** oklch: lightness 0–1, chroma 0–0.5, hue 0–360. srgb: red, green, blue 0–1. */
  readonly colorSpace: "oklch" | "srgb";
  readonly components: readonly [number, number, number];
  /** 0–1; opaque unless said. */
  readonly alpha?: number | undefined;
  /** For tools that know no other form; Seedloop does not read it. */
  readonly hex?: string | undefined;
}

type Triple = readonly [number, number, number];

/** The colour as CSS writes it: "oklch(0.82 0.14 200)". */
export function cssColour({ colorSpace, components, alpha }: Colour): string {
  const numbers = components.map(shorten).join(" ");
  const end = alpha === undefined || alpha === 1 ? ")" : ` / ${shorten(alpha)})`;
  return colorSpace === "oklch" ? `oklch(${numbers}${end}` : `color(srgb ${numbers}${end}`;
}

/** WCAG 2.2's contrast of two opaque colours: 1 to 21. Colours outside sRGB count as its nearest. */
export function contrastRatio(one: Colour, other: Colour): number {
  const [low, high] = [luminance(one), luminance(other)].sort((x, y) => x - y) as [number, number]; // Two in, two out.
  return (high + 0.05) / (low + 0.05);
}

/** `share` of `colour` mixed into `ground`, as CSS does it `in oklab`. */
export function mixColours(colour: Colour, share: number, ground: Colour): Colour {
  const [one, other] = [toOklab(colour), toOklab(ground)];
  const mixed = one.map((value, at) => value * share + (other[at] ?? 0) * (1 - share)) as unknown as Triple; // As long.
  return { colorSpace: "oklch", components: toOklch(mixed) };
}

/** "#rrggbb", nearest in sRGB: for the system's colour picker. */
export function toHex(colour: Colour): string {
  const bytes = toLinear(colour).map((value) => Math.round(encode(clamp(value)) * 255));
  return `#${bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** The colour of "#rrggbb" in OKLCH, rounded to what eyes can tell apart. */
export function fromHex(hex: string): Colour {
  const components = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255);
  const [lightness, chroma, hue] = toOklch(
    toOklab({ colorSpace: "srgb", components: components as unknown as Triple }), // Three places were read.
  );
  const round = (value: number, places: number) => Number(value.toFixed(places));
  return { colorSpace: "oklch", components: [round(lightness, 4), round(chroma, 4), round(hue, 2)] };
}

function luminance(colour: Colour): number {
  const [red, green, blue] = toLinear(colour).map(clamp) as unknown as Triple; // As long as it was.
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Linear sRGB, by Ottosson's matrices; outside 0–1 where sRGB can't show it. */
function toLinear(colour: Colour): Triple {
  if (colour.colorSpace === "srgb") return colour.components.map(decode) as unknown as Triple; // Three stay three.
  const [lightness, a, b] = toOklab(colour);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
}

function toOklab(colour: Colour): Triple {
  if (colour.colorSpace === "oklch") {
    const [lightness, chroma, hue] = colour.components;
    const angle = hue * Math.PI / 180;
    return [lightness, chroma * Math.cos(angle), chroma * Math.sin(angle)];
  }
  const [red, green, blue] = toLinear(colour);
  const l = Math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue);
  const m = Math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue);
  const s = Math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

function toOklch([lightness, a, b]: Triple): Triple {
  const chroma = Math.hypot(a, b);
  // A grey has no hue: what rounding leaves of one would jump about.
  const hue = chroma < 1e-4 ? 0 : (Math.atan2(b, a) * 180 / Math.PI + 360) % 360;
  return [lightness, chroma < 1e-4 ? 0 : chroma, hue];
}

function decode(value: number): number {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

function encode(value: number): number {
  return value <= 0.0031308 ? value * 12.92 : 1.055 * value ** (1 / 2.4) - 0.055;
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}

function shorten(value: number): string {
  return String(Number(value.toFixed(4)));
}
