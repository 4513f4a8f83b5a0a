const bits = new Uint32Array(1);
const value = new Float32Array(bits.buffer);

/** The float16 bit pattern nearest to a number, ties to even. */
export function toFloat16(x: number): number {
  value[0] = x;
  const f = bits[0] ?? 0;
  const sign = (f >>> 16) & 0x8000;
  const magnitude = f & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // Subnormal: adding 0.5 aligns the mantissa so that the hardware rounds to even.
    value[0] = Math.abs(x) + 0.5;
    return sign | ((bits[0] ?? 0) - 0x3f000000);
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}

/** The number that a float16 bit pattern represents. */
export function fromFloat16(h: number): number {
  const sign = h & 0x8000 ? -1 : 1;
  const exponent = (h >>> 10) & 0x1f;
  const fraction = h & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** The bfloat16 bit pattern nearest to a number, ties to even. */
export function toBFloat16(x: number): number {
  value[0] = x;
  const f = bits[0] ?? 0;
  if ((f & 0x7fffffff) > 0x7f800000) return ((f >>> 16) & 0x8000) | 0x7fc0;
  return ((f + 0x7fff + ((f >>> 16) & 1)) >>> 16) & 0xffff;
}

/** The number that a bfloat16 bit pattern represents. */
export function fromBFloat16(h: number): number {
  bits[0] = h << 16;
  return value[0] ?? 0;
}
