/** Whether a value is a whole number from 0 to 2^53 - 1, as sizes and places are. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
