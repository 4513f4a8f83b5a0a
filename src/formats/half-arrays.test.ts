import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bfloat16ToFloat32,
  float16ToFloat32,
  float32ToBfloat16,
  float32ToFloat16,
} from "./half-arrays.ts";

const allPatterns = Uint16Array.from({ length: 0x10000 }, (_, i) => i);

/** The value of a float of 1 sign bit, `exponentBits` and `fractionBits`, by the definition. */
function valueOf(bits: number, exponentBits: number, fractionBits: number): number {
  const bias = 2 ** (exponentBits - 1) - 1;
  const sign = bits >>> (exponentBits + fractionBits) === 1 ? -1 : 1;
  const exponent = (bits >>> fractionBits) & (2 ** exponentBits - 1);
  const fraction = (bits & (2 ** fractionBits - 1)) / 2 ** fractionBits;
  if (exponent === 2 ** exponentBits - 1) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** (1 - bias);
  return sign * (1 + fraction) * 2 ** (exponent - bias);
}

function wordOf(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0] ?? 0;
}

describe.each([
  {
    type: "float16",
    widen: float16ToFloat32,
    narrow: float32ToFloat16,
    exponentBits: 5,
    fractionBits: 10,
  },
  {
    type: "bfloat16",
    widen: bfloat16ToFloat32,
    narrow: float32ToBfloat16,
    exponentBits: 8,
    fractionBits: 7,
  },
])("$type", ({ widen, narrow, exponentBits, fractionBits }) => {
  const infinity = (2 ** exponentBits - 1) << fractionBits;
  /** Finite non-negative values in ascending order: the index is the bit pattern. */
  const ladder = Array.from({ length: infinity }, (_, bits) =>
    valueOf(bits, exponentBits, fractionBits),
  );
  /** What the next step above the largest would be; from half way to it on, values are infinite. */
  const next = 2 ** (2 ** (exponentBits - 1));

  /** Nearest by search among all values, ties to even. */
  function nearest(magnitude: number): number {
    let low = 0;
    let high = ladder.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((ladder[middle] ?? NaN) <= magnitude) low = middle;
      else high = middle;
    }
    const below = magnitude - (ladder[low] ?? NaN);
    const above = (ladder[low + 1] ?? next) - magnitude;
    if (below !== above) return below < above ? low : low + 1;
    return low % 2 === 0 ? low : low + 1;
  }

  it("widens every bit pattern to its value", () => {
    const wide = widen(allPatterns);
    for (const bits of allPatterns) {
      const expected = valueOf(bits, exponentBits, fractionBits);
      if (!Object.is(wide[bits], expected)) expect([bits, wide[bits]]).toEqual([bits, expected]);
    }
  });

  it("narrows every widened pattern back to itself, quieting NaN", () => {
    const back = narrow(widen(allPatterns));
    const quiet = 1 << (fractionBits - 1);
    for (const bits of allPatterns) {
      const isNaN = (bits & 0x7fff) > infinity;
      const expected = isNaN ? bits | quiet : bits;
      if (back[bits] !== expected) expect([bits, back[bits]]).toEqual([bits, expected]);
    }
  });

  it("rounds to nearest, ties to even, at and beside every half-way point", () => {
    const values: number[] = [];
    for (let bits = 0; bits < infinity; bits += 1) {
      const half = ((ladder[bits] ?? NaN) + (ladder[bits + 1] ?? next)) / 2;
      const word = wordOf(half);
      const beside = new Float32Array(Uint32Array.of(Math.max(word - 1, 0), word, word + 1).buffer);
      values.push(...beside);
    }
    const inputs = Float32Array.from(values);
    const narrowed = narrow(inputs);
    inputs.forEach((value, i) => {
      const expected = Number.isFinite(value) ? nearest(value) : infinity;
      if (narrowed[i] !== expected) expect([value, narrowed[i]]).toEqual([value, expected]);
    });
  });

  it("rounds any float32 to the nearest value", () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true }), (value) => {
        const magnitude = Math.abs(value);
        const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
        const expected = Number.isFinite(magnitude) ? nearest(magnitude) : infinity;
        expect(narrow(Float32Array.of(value))[0]).toBe(sign | expected);
      }),
      { numRuns: 2000 },
    );
  });

  it("reads views that begin inside of a buffer", () => {
    const values = Float32Array.of(9, 1, -2, 0.5).subarray(1);
    const bits = narrow(values);
    expect([...widen(bits)]).toEqual([1, -2, 0.5]);
    expect([...widen(bits.subarray(1))]).toEqual([-2, 0.5]);
  });
});
