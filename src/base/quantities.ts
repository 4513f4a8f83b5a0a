/** A number with three digits and a unit. */
function scaled(value: number, base: number, units: readonly string[]): string {
  let [rest, unit] = [value, 0];
  while (rest >= base && unit < units.length - 1) {
    rest /= base;
    unit++;
  }
  const text = Number.isInteger(rest) ? String(rest) : rest.toPrecision(3);
  return `${text}${units[unit] ?? ""}`;
}

/** A count with three digits: "12", "1.54 k", "124 M". */
export function countText(value: number): string {
  return scaled(value, 1000, ["", " k", " M", " G", " T"]);
}

/** A number of bytes with three digits: "12 B", "1.5 KiB", "3.7 MiB". */
export function bytesText(value: number): string {
  return scaled(value, 1024, [" B", " KiB", " MiB", " GiB", " TiB"]);
}
