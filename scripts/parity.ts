/*
 * npm run parity -- DIR ...
 *
 * Replays recorded cases through the library and says how far its numbers are from the recorded
 * ones. DIR is the directory of a model, of an intervention case or of a circumstance in which a
 * library goes wrong (tests/cases), or holds such at any depth, or ONNX files, of which every value is
 * compared with ONNX Runtime's own. What the library refuses in its own
 * words, where it may, is said and counted apart. Files among the arguments, which a shell's * names
 * too, are left out, and said to be.
 */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { CaseResult } from "./parity/case-result.ts";
import { readCircumstance, replayCircumstance } from "./parity/circumstances/replay.ts";
import { notReplayed } from "./parity/compare.ts";
import { replayInterventionCase } from "./parity/intervention-case.ts";
import { replayOnnxFile } from "./parity/onnx-file.ts";
import { replayModelCase } from "./parity/model-case.ts";

async function* replay(directory: string): AsyncGenerator<CaseResult> {
  const entries = await readdir(directory, { withFileTypes: true });
  const files = new Set(entries.map(({ name }) => name));
  if (files.has("case.json")) {
    yield* await replayCase(directory, files);
    return;
  }
  for (const name of [...files].sort()) {
    if (name.endsWith(".onnx")) yield replayOnnxFile(join(directory, name));
  }
  const inside = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  for (const name of inside.sort()) yield* replay(join(directory, name));
}

/** A model's cases lie beside its files; those of interventions name a model that lies elsewhere. */
async function replayCase(directory: string, files: ReadonlySet<string>): Promise<CaseResult[]> {
  if (files.has("config.json")) return replayModelCase(directory);
  if ((await readCircumstance(directory)) !== undefined) return replayCircumstance(directory);
  return [await replayInterventionCase(directory)];
}

function show(value: number): string {
  return Number.isNaN(value) ? "-" : value.toExponential(1);
}

function line(result: CaseResult): string {
  const { name, worst, tolerance, tensor, compared, failed, refused, reason } = result;
  const passed = refused === undefined ? "ok" : "refused";
  const numbers = `${show(worst)} of ${show(tolerance)} in ${tensor} (${compared} tensors)`;
  return `${(failed ? "FAILED" : passed).padEnd(7)}  ${name}: ${reason ?? refused ?? numbers}`;
}

/** The error that is the largest share of its tolerance. */
function worstOf(results: readonly CaseResult[]): CaseResult | undefined {
  const share = ({ worst, tolerance }: CaseResult): number => (worst === 0 ? 0 : worst / tolerance);
  return results
    .filter(({ compared }) => compared > 0)
    .reduce<CaseResult | undefined>(
      (a, b) => (a === undefined || share(b) > share(a) ? b : a),
      undefined,
    );
}

const places = process.argv.slice(2).filter((argument) => argument !== "--");
if (places.length === 0) {
  console.error("usage: npm run parity -- DIR ...");
  process.exit(2);
}

const results: CaseResult[] = [];
for (const directory of places) {
  const before = results.length;
  try {
    // A shell's `models/*` names the notes beside the directories too.
    if (places.length > 1 && (await stat(directory)).isFile()) {
      console.log(`left out  ${directory}: a file`);
      continue;
    }
    for await (const result of replay(directory)) {
      results.push(result);
      console.log(line(result));
    }
    if (results.length === before) throw new Error("there is no case.json at any depth");
  } catch (error) {
    const failure = notReplayed(directory, error);
    results.push(failure);
    console.log(line(failure));
  }
}
const failed = results.filter((result) => result.failed).length;
const worst = worstOf(results);
const where =
  worst === undefined ? "- in -" : `${show(worst.worst)} in ${worst.name}.${worst.tensor}`;
const refused = results.filter((result) => result.refused !== undefined).length;
const apart = refused === 0 ? "" : `, ${refused} refused`;
console.log(`parity: ${results.length} cases, ${failed} failed${apart}, worst ${where}`);
process.exitCode = failed > 0 || results.length === 0 ? 1 : 0;
