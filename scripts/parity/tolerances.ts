import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** For logits, hidden states and activations of families that have none of their own. */
const GENERAL = 5e-5;

const SHIPPED = fileURLToPath(
  new URL("../../tests/goldens/models/tolerances.json", import.meta.url),
);

interface Noise {
  readonly suggested_max_abs?: number;
}

async function readTolerances(path: string): Promise<Record<string, Noise>> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Record<string, Noise>;
  } catch {
    return {};
  }
}

/**
 * Largest absolute error of a family's float32 outputs: 30 times the noise that was measured
 * between float32 and float64, as `tolerances.json` beside the directory (or beside those of this
 * repository) says for a directory of that name.
 */
export async function toleranceOf(directory: string): Promise<number> {
  const name = basename(directory);
  for (const path of [join(dirname(directory), "tolerances.json"), SHIPPED]) {
    const tolerance = (await readTolerances(path))[name]?.suggested_max_abs;
    if (tolerance !== undefined) return tolerance;
  }
  return GENERAL;
}
