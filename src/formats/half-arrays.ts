/*
 * 16-bit floats, converted by their bits. Working on the integer views keeps the payload of a NaN,
 * which a float in a JavaScript variable may lose.
 */

/** The bits of float32 numbers. */
function wordsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

let float16Table: Uint32Array | undefined;

/** The float32 bits of one float16: 1 sign bit, 5 of exponent (bias 15), 10 of fraction. */
function widenFloat16(bits: number): number {
  const sign = (bits & 0x8000) << 16;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return sign | 0x7f800000 | (fraction << 13);
  if (exponent !== 0) return sign | ((exponent + 112) << 23) | (fraction << 13);
  if (fraction === 0) return sign;
  // A subnormal: move its leading one to bit 10, which float32 leaves out.
  const shift = Math.clz32(fraction) - 21;
  return sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13);
}

function buildFloat16Table(): Uint32Array {
  const table = new Uint32Array(0x10000);
  for (let bits = 0; bits < table.length; bits++) table[bits] = widenFloat16(bits);
  return table;
}

/**
 * float16 bit patterns as float32 numbers. Exact for every pattern: subnormals, infinities, and NaN
 * with its sign and payload.
 */
export function float16ToFloat32(
  bits: Uint16Array,
  into: Float32Array = new Float32Array(bits.length),
): Float32Array {
  float16Table ??= buildFloat16Table();
  const table = float16Table;
  const words = wordsOf(into);
  for (let i = 0; i < bits.length; i++) words[i] = table[bits[i] ?? 0] ?? 0;
  return into;
}

/**
 * bfloat16 bit patterns as float32 numbers: the upper half of the float32, so exact for every
 * pattern.
 */
export function bfloat16ToFloat32(
  bits: Uint16Array,
  into: Float32Array = new Float32Array(bits.length),
): Float32Array {
  const words = wordsOf(into);
  for (let i = 0; i < bits.length; i++) words[i] = (bits[i] ?? 0) << 16;
  return into;
}

/** float16 bits of the float32 bits `word`, rounded to nearest, ties to even. */
function narrowToFloat16(word: number): number {
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  // NaN stays NaN: the quiet bit keeps the fraction from being cut to zero, which is infinity.
  if (magnitude > 0x7f800000) return sign | 0x7e00 | ((magnitude >>> 13) & 0x3ff);
  // 65520 is half way between the largest float16 and the next power of two: it rounds up.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) {
    const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
    return sign | ((rounded - 0x38000000) >>> 13);
  }
  // Below half of the smallest subnormal, 2^-25.
  if (magnitude < 0x33000000) return sign;
  const shift = 126 - (magnitude >>> 23);
  const significand = (magnitude & 0x7fffff) | 0x800000;
  const kept = significand >>> shift;
  const dropped = significand & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  const up = dropped > half || (dropped === half && (kept & 1) === 1);
  return sign | (up ? kept + 1 : kept);
}

/**
 * float32 numbers as float16 bit patterns, rounded to nearest with ties to even, as torch does it.
 * Values from 65520 on become infinite.
 */
export function float32ToFloat16(
  values: Float32Array,
  into: Uint16Array = new Uint16Array(values.length),
): Uint16Array {
  const words = wordsOf(values);
  for (let i = 0; i < words.length; i++) into[i] = narrowToFloat16(words[i] ?? 0);
  return into;
}

/** float32 numbers as bfloat16 bit patterns, rounded to nearest with ties to even. */
export function float32ToBfloat16(
  values: Float32Array,
  into: Uint16Array = new Uint16Array(values.length),
): Uint16Array {
  const words = wordsOf(values);
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? 0;
    const isNaN = (word & 0x7fffffff) > 0x7f800000;
    into[i] = isNaN ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return into;
}
