/** Red, green and blue, 0 to 255 each. */
export type Rgb = readonly [red: number, green: number, blue: number];

/** Colours of one direction from least to most, or of two from a middle. */
export type RampKind = "sequential" | "diverging";

/** What a ramp is shown on: paper is white where nothing is, a terminal dark. */
export type Surface = "paper" | "terminal";

/** A colour in OKLCH: lightness 0 to 1, chroma, and hue in degrees. */
interface Lch {
  readonly lightness: number;
  readonly chroma: number;
  readonly hue: number;
}

/**
 * The colour of a number in a plot. Equal steps of the number are equal steps of perceived
 * lightness, so that no edge is seen where the numbers have none, in print and to the colour-blind.
 *
 * @param t - From 0 to 1; 0.5 is the middle of a diverging ramp. Clamped.
 */
export function rampColor(kind: RampKind, surface: Surface, t: number): Rgb {
  const clamped = Math.min(Math.max(t, 0), 1);
  return toRgb(RAMPS[kind][surface](clamped));
}

/** Whether text on this colour should be white, rather than black. */
export function needsLightText([red, green, blue]: Rgb): boolean {
  const luminance = 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  // White on a saturated middle tone is read better than the ratio of luminances says, by which
  // the two are equal at 0.18.
  return luminance < 0.28;
}

/** The colour as CSS writes it, such as "#1f77b4". */
export function hexColor(color: Rgb): string {
  return `#${color.map((channel) => channel.toString(16).padStart(2, "0")).join("")}`;
}

const RAMPS: {
  readonly [K in RampKind]: { readonly [S in Surface]: (t: number) => Lch };
} = {
  sequential: {
    paper: (t) => ({
      lightness: mix(0.975, 0.34, t),
      chroma: mix(0.012, 0.11, t) + 0.06 * Math.sin(Math.PI * t),
      hue: mix(215, 272, t),
    }),
    terminal: (t) => ({
      lightness: mix(0.27, 0.9, t),
      chroma: mix(0.08, 0.16, t),
      hue: mix(285, 105, t),
    }),
  },
  diverging: {
    paper: (t) => arm(t, 0.97, 0.46),
    terminal: (t) => arm(t, 0.28, 0.78),
  },
};

/** Orange below the middle, blue above it. */
function arm(t: number, middle: number, end: number): Lch {
  const distance = Math.abs(t - 0.5) * 2;
  return {
    lightness: mix(middle, end, distance),
    chroma: mix(0, 0.16, Math.sqrt(distance)),
    hue: t < 0.5 ? 38 : 255,
  };
}

function mix(from: number, to: number, t: number): number {
  return from + (to - from) * t;
}

/** Takes away chroma until the colour can be shown. */
function toRgb({ lightness, chroma, hue }: Lch): Rgb {
  const radians = (hue * Math.PI) / 180;
  for (let c = chroma; c > 0; c -= 0.004) {
    const channels = toLinear(lightness, c * Math.cos(radians), c * Math.sin(radians));
    if (channels.every((channel) => channel >= 0 && channel <= 1)) return encode(channels);
  }
  return encode(toLinear(lightness, 0, 0));
}

function encode([red, green, blue]: readonly [number, number, number]): Rgb {
  return [gamma(red), gamma(green), gamma(blue)];
}

/** Ottosson, "A perceptual color space for image processing" (2020). */
function toLinear(lightness: number, a: number, b: number): readonly [number, number, number] {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
}

/** sRGB's transfer function, from 0..1 to 0..255. */
function gamma(value: number): number {
  const x = Math.min(Math.max(value, 0), 1);
  return Math.round(255 * (x <= 0.0031308 ? 12.92 * x : 1.055 * x ** (1 / 2.4) - 0.055));
}

function linear(channel: number): number {
  const x = channel / 255;
  return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
}
