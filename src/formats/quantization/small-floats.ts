/*
 * Floats of 8 and 4 bits, by tables of all that there are. Formats of OCP's "8-bit Floating Point
 * Specification" and "Microscaling Formats".
 */

interface FloatFormat {
  readonly exponentBits: number;
  readonly fractionBits: number;
  readonly bias: number;
  /** What the bit patterns with the largest exponent mean. */
  readonly special: "infinities" | "one NaN" | "none";
}

const E4M3: FloatFormat = { exponentBits: 4, fractionBits: 3, bias: 7, special: "one NaN" };
const E5M2: FloatFormat = { exponentBits: 5, fractionBits: 2, bias: 15, special: "infinities" };
const E2M1: FloatFormat = { exponentBits: 2, fractionBits: 1, bias: 1, special: "none" };

function magnitude(
  bits: number,
  { exponentBits, fractionBits, bias, special }: FloatFormat,
): number {
  const exponent = bits >> fractionBits;
  const fraction = bits & ((1 << fractionBits) - 1);
  const largest = exponent === (1 << exponentBits) - 1;
  if (largest && special === "infinities") return fraction === 0 ? Infinity : NaN;
  if (largest && special === "one NaN" && fraction === (1 << fractionBits) - 1) return NaN;
  if (exponent === 0) return fraction * 2 ** (1 - bias - fractionBits);
  return (1 + fraction * 2 ** -fractionBits) * 2 ** (exponent - bias);
}

function tableOf(format: FloatFormat): Float32Array {
  const half = 1 << (format.exponentBits + format.fractionBits);
  return Float32Array.from({ length: 2 * half }, (_, bits) =>
    bits < half ? magnitude(bits, format) : -magnitude(bits - half, format),
  );
}

/** The numbers of the 256 patterns of `float8_e4m3fn`. */
export const FLOAT8_E4M3: Float32Array = tableOf(E4M3);
/** The numbers of the 256 patterns of `float8_e5m2`. */
export const FLOAT8_E5M2: Float32Array = tableOf(E5M2);
/** The numbers of the 16 patterns of a 4-bit float (E2M1). */
export const FLOAT4: Float32Array = tableOf(E2M1);
/**
 * The powers of two of 256 bytes (E8M0). The last one stands for infinity, as where PyTorch raises 2
 * to it in float32.
 */
export const POWERS: Float32Array = Float32Array.from({ length: 256 }, (_, e) =>
  Math.fround(2 ** (e - 127)),
);

/** Tables by safetensors' names of element types. */
export const FLOAT8_TABLES: ReadonlyMap<string, Float32Array> = new Map([
  ["F8_E4M3", FLOAT8_E4M3],
  ["F8_E5M2", FLOAT8_E5M2],
  ["F8_E8M0", POWERS],
]);
