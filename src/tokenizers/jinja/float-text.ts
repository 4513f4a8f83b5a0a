/** Floats as Python writes them. */

/** The shortest decimal digits that give the number back, and the power of ten before the first. */
function shortestDigits(value: number): { digits: string; exponent: number } {
  const [mantissa = "", exponent = "0"] = Math.abs(value).toExponential().split("e");
  return { digits: mantissa.replace(".", ""), exponent: Number(exponent) };
}

function exponentText(exponent: number): string {
  const digits = String(Math.abs(exponent)).padStart(2, "0");
  return `e${exponent < 0 ? "-" : "+"}${digits}`;
}

export function isNegative(value: number): boolean {
  return value < 0 || Object.is(value, -0);
}

/** `repr(value)`. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  const sign = isNegative(value) ? "-" : "";
  if (!Number.isFinite(value)) return `${sign}inf`;
  const { digits, exponent } = shortestDigits(value);
  if (exponent < -4 || exponent >= 16) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : "";
    return `${sign}${digits.slice(0, 1)}${fraction}${exponentText(exponent)}`;
  }
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, "0");
  return `${sign}${whole}.${digits.slice(exponent + 1) || "0"}`;
}

/** A finite float as a fraction of whole numbers. */
function asFraction(value: number): { over: bigint; under: bigint } {
  let scaled = value;
  let under = 1n;
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    under *= 2n;
  }
  return { over: BigInt(scaled), under };
}

/** The quotient as a whole number, halves to the even one. */
export function roundedQuotient(over: bigint, under: bigint): bigint {
  let whole = over / under;
  if (over % under < 0n) whole -= 1n;
  const twice = 2n * (over - whole * under);
  if (twice > under || (twice === under && whole % 2n !== 0n)) whole += 1n;
  return whole;
}

/** The absolute value times a power of ten as a whole number, rounded as Python does. */
function scaledDigits(value: number, power: number): bigint {
  const { over, under } = asFraction(Math.abs(value));
  return power >= 0
    ? roundedQuotient(over * 10n ** BigInt(power), under)
    : roundedQuotient(over, under * 10n ** BigInt(-power));
}

/** `format(value, ".{decimals}f")` of a finite value, without its sign. */
export function fixedText(value: number, decimals: number): string {
  const digits = scaledDigits(value, decimals)
    .toString()
    .padStart(decimals + 1, "0");
  if (decimals === 0) return digits;
  return `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

/** Digits with the point after the first, and the power of ten, rounded to a number of decimals. */
function exponentialDigits(value: number, decimals: number): { digits: string; exponent: number } {
  if (value === 0) return { digits: "0".repeat(decimals + 1), exponent: 0 };
  let { exponent } = shortestDigits(value);
  let digits = scaledDigits(value, decimals - exponent).toString();
  if (digits.length > decimals + 1) {
    exponent += 1;
    digits = digits.slice(0, -1);
  }
  return { digits, exponent };
}

/** `format(value, ".{decimals}e")` of a finite value, without its sign. */
export function exponentialText(value: number, decimals: number): string {
  const { digits, exponent } = exponentialDigits(value, decimals);
  const fraction = decimals > 0 ? `.${digits.slice(1)}` : "";
  return `${digits.slice(0, 1)}${fraction}${exponentText(exponent)}`;
}

/** `format(value, ".{precision}g")` of a finite value, without its sign. */
export function generalText(value: number, precision: number, keepZeros: boolean): string {
  const places = Math.max(precision, 1);
  const { exponent } = exponentialDigits(value, places - 1);
  const isLong = exponent < -4 || exponent >= places;
  const text = isLong
    ? exponentialText(value, places - 1)
    : fixedText(value, places - 1 - exponent);
  return keepZeros ? text : withoutZeros(text);
}

/** A number without the zeros that its fraction ends with. */
export function withoutZeros(text: string): string {
  if (!text.includes(".")) return text;
  const [mantissa = "", power] = text.split("e");
  const short = mantissa.replace(/\.?0+$/, "");
  return power === undefined ? short : `${short}e${power}`;
}

/** `round(value, decimals)` of a float. */
export function roundFloat(value: number, decimals: number): number {
  if (!Number.isFinite(value) || decimals > 323) return value;
  if (decimals < -308) return isNegative(value) ? -0 : 0;
  const sign = isNegative(value) ? -1 : 1;
  if (decimals >= 0) return sign * Number(fixedText(value, decimals));
  return sign * Number(scaledDigits(value, decimals) * 10n ** BigInt(-decimals));
}
