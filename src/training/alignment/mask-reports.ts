import { evaluate } from "../../tensor/evaluate.ts";
import { warn } from "../../base/warn.ts";
import type { IntervenableModel } from "../../intervenable/intervenable-model.ts";
import type { Intervention } from "../../interventions/intervention.ts";
import type { MaskReport } from "./alignment-score.ts";
import { maskText } from "./score-text.ts";

/** Between these shares, a dimension is neither swapped nor left. */
const OPEN = { from: 0.05, to: 0.95 } as const;
/** The share of undecided dimensions above which a warning is given. */
const MANY = 0.05;

/** Whether an intervention learns shares, which can be taken as decided. */
export function isMasked(intervention: Intervention): boolean {
  return "shares" in intervention && "decisions" in intervention;
}

/** What the masks of an alignment came to, each once. */
export async function maskReports({ interventions }: IntervenableModel): Promise<MaskReport[]> {
  const reports: MaskReport[] = [];
  const seen = new Set<Intervention>();
  for (const [name, intervention] of interventions) {
    if (seen.has(intervention)) continue;
    seen.add(intervention);
    const report = await maskReport(name, intervention);
    if (report !== undefined) reports.push(report);
  }
  return reports;
}

async function maskReport(
  name: string,
  intervention: Intervention,
): Promise<MaskReport | undefined> {
  const [soft, hard] = [intervention.shares?.(), intervention.decisions?.()];
  if (soft === undefined || hard === undefined) return undefined;
  const boundary = intervention.boundary?.();
  await evaluate(soft, hard, ...(boundary === undefined ? [] : [boundary]));
  const shares = Array.from(await soft.data(), Number);
  const open = shares.filter((share) => share >= OPEN.from && share <= OPEN.to).length;
  const width = shares.length;
  return {
    name,
    swapped: Array.from(await hard.data(), Number).filter((decided) => decided > 0).length,
    width,
    undecided: Math.max(0, open - intervention.undecidable) / width,
    ...(boundary === undefined ? {} : { boundary: Number((await boundary.data())[0]) }),
  };
}

/** Warns of masks that are far from decided, whose figures are of dimensions that none was trained with. */
export function warnOfUndecided(op: string, reports: readonly MaskReport[]): void {
  for (const report of reports) {
    if (report.undecided <= MANY) continue;
    warn(
      op,
      `${report.name}: ${maskText(report)}: these get from ${OPEN.from} to ${OPEN.to} of the source, but are ` +
        "evaluated as swapped or not; train on with a lower temperature, and compare iia with soft",
    );
  }
}
