/** Blue and orange, which people of all kinds of sight tell apart, on a ground between. */
const HIGH = [33, 102, 172] as const;
const LOW = [200, 92, 10] as const;

/** Colours of a cell. */
export interface CellColors {
  readonly background: string;
  readonly color: string;
}

/**
 * Colours of a number: blue above 0, orange below, as strong as it is large.
 * @param most - Of which size on colours are full.
 */
export function cellColors(value: number, most: number, isDark: boolean): CellColors {
  const ground = isDark ? [38, 40, 44] : [244, 245, 247];
  const share = Number.isFinite(value) && most > 0 ? Math.min(1, Math.abs(value) / most) : 0;
  const full = value < 0 ? LOW : HIGH;
  const mixed = ground.map((from, i) => Math.round(from + share * ((full[i] ?? 0) - from)));
  return { background: `rgb(${mixed.join(" ")})`, color: readableOn(mixed) };
}

/** Black or white, whichever is told from a colour better. */
function readableOn(rgb: readonly number[]): string {
  const [r = 0, g = 0, b = 0] = rgb.map((part) => {
    const s = part / 255;
    return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
  });
  const light = 0.2126 * r + 0.7152 * g + 0.0722 * b;
  return 1.05 / (light + 0.05) >= (light + 0.05) / 0.05 ? "#fff" : "#000";
}
