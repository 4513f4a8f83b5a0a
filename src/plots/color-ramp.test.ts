import { describe, expect, test } from "vitest";
import { hexColor, needsLightText, type RampKind, rampColor, type Rgb } from "./color-ramp.ts";

const steps = Array.from({ length: 21 }, (_, i) => i / 20);

/** CIE L*, a measure of lightness that the ramps are not made with. */
function lightness(color: Rgb): number {
  const [r = 0, g = 0, b = 0] = color.map((channel) => {
    const x = channel / 255;
    return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
  });
  return 116 * Math.cbrt(0.2126 * r + 0.7152 * g + 0.0722 * b) - 16;
}

describe("rampColor", () => {
  test.each([
    ["paper", -1],
    ["terminal", 1],
  ] as const)("goes evenly from one lightness to another on %s", (surface, direction) => {
    const levels = steps.map((t) => lightness(rampColor("sequential", surface, t)));
    const differences = levels.slice(1).map((level, i) => direction * (level - (levels[i] ?? 0)));
    const mean = differences.reduce((a, b) => a + b) / differences.length;
    expect(mean).toBeGreaterThan(2);
    for (const difference of differences) expect(Math.abs(difference - mean)).toBeLessThan(1.5);
  });

  test.each(["paper", "terminal"] as const)(
    "is grey in the middle of two arms on %s",
    (surface) => {
      expect(new Set(rampColor("diverging", surface, 0.5)).size).toBe(1);
      const [low, high] = [0, 1].map((t) => lightness(rampColor("diverging", surface, t)));
      expect(Math.abs((low ?? 0) - (high ?? 0))).toBeLessThan(6);
    },
  );

  test.each(["sequential", "diverging"] satisfies RampKind[])("clamps (%s)", (kind) => {
    expect(rampColor(kind, "paper", -3)).toEqual(rampColor(kind, "paper", 0));
    expect(rampColor(kind, "paper", 7)).toEqual(rampColor(kind, "paper", 1));
  });

  test("tells all channels as whole numbers of a byte", () => {
    for (const t of steps) {
      for (const channel of rampColor("diverging", "terminal", t)) {
        expect(Number.isInteger(channel) && channel >= 0 && channel <= 255).toBe(true);
      }
    }
  });
});

test("needsLightText sees how dark a colour is", () => {
  expect(needsLightText([0, 0, 0])).toBe(true);
  expect(needsLightText([38, 52, 117])).toBe(true);
  expect(needsLightText([255, 255, 255])).toBe(false);
  expect(needsLightText([227, 226, 86])).toBe(false);
});

test("hexColor writes two digits a channel", () => {
  expect(hexColor([0, 10, 255])).toBe("#000aff");
});
