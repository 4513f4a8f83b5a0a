// Math.exp and Math.log may differ in the last bit between engines. These two cannot, because they
// only add, multiply and divide; where random numbers are drawn, a run has to repeat everywhere.

/** e to the power x, for x from -700 to 0. */
export function exp(x: number): number {
  const halvings = Math.round(-x / Math.LN2);
  const r = x + halvings * Math.LN2;
  let sum = 1;
  for (let n = 16; n > 0; n--) sum = 1 + (sum * r) / n;
  for (let i = 0; i < halvings; i++) sum /= 2;
  return sum;
}

/** The natural logarithm, for x in (0, 1]. */
export function log(x: number): number {
  let halvings = 0;
  let m = x;
  for (; m < Math.SQRT1_2; m *= 2) halvings++;
  const s = (m - 1) / (m + 1);
  let sum = 0;
  for (let n = 25; n > 0; n -= 2) sum = sum * s * s + 1 / n;
  return 2 * s * sum - halvings * Math.LN2;
}
