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
 * repository) says for a directory of that name; of another name, the general one, or the
 * family's where that is larger.
 */
export async function toleranceOf(directory: string, modelType: string): Promise<number> {
  const name = basename(directory);
  for (const path of [join(dirname(directory), "tolerances.json"), SHIPPED]) {
    const tolerance = (await readTolerances(path))[name]?.suggested_max_abs;
    if (tolerance !== undefined) return tolerance;
  }
  const family = (await readTolerances(SHIPPED))[modelType]?.suggested_max_abs ?? GENERAL;
  return Math.max(GENERAL, family);
}
