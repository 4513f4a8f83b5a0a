import type {
  AlignmentScoreFields,
  MaskReport,
  PartScore,
  VariablesScore,
} from "./alignment-score.ts";

/** A number as tables have it. */
export function numberText(value: number): string {
  const text = value.toFixed(3);
  return Number(text) === 0 ? text.replace("-", "") : text;
}

/** What a mask came to, in words: "8 of 64 dimensions swapped, 2 % undecided". */
export function maskText({ swapped, width, undecided, boundary }: MaskReport): string {
  const count = swapped === 0 ? "no dimension" : `${swapped} of ${width} dimensions`;
  const bound = boundary === undefined ? "" : `, boundary ${numberText(boundary)}`;
  const open = undecided === 0 ? "" : `, ${(100 * undecided).toFixed(0)} % undecided`;
  return `${count} swapped${bound}${open}`;
}

/** A score as lines of a table. */
export function scoreLines(score: AlignmentScoreFields): string[] {
  const { metric, lowerIsBetter, n, leftOut, byVariables, byFamily, masks } = score;
  const left = leftOut === 0 ? "" : `, ${leftOut.toLocaleString("en")} left out`;
  const better = lowerIsBetter ? ", lower is better" : "";
  const title = `${metric}${better}, ${n.toLocaleString("en")} examples${left}`;
  const sets = [
    ...(byVariables.length > 1 ? byVariables.map(variablesRow) : []),
    ...byFamily.map((part) => partRow(part.family, part)),
  ];
  const shapes = masks.map((mask): Row => [mask.name, "", maskText(mask)]);
  return [title, ...aligned([...mainRows(score), ...sets, ...shapes])];
}

type Row = readonly [name: string, value: string, more?: string];

function mainRows({
  iia,
  interval,
  score,
  soft,
  baseAccuracy,
  controls,
}: AlignmentScoreFields): Row[] {
  const { noEdit, fullSwap, random, otherSite, majority, shuffledLabels } = controls;
  const [low, high] = interval;
  const row = (name: string, value: number | undefined, more?: string): Row[] =>
    value === undefined ? [] : [[name, numberText(value), more ?? ""]];
  return [
    ...row("aligned", iia, `95 % from ${numberText(low)} to ${numberText(high)}`),
    ...row("masks soft", soft),
    ...row("no edit", noEdit),
    ...row("majority", majority),
    ...row("full swap", fullSwap),
    ...row("random", random?.mean, random && `± ${numberText(random.sd)} over ${random.n} draws`),
    ...row("other site", otherSite?.iia, otherSite?.site),
    ...row("shuffled labels", shuffledLabels),
    ...row("score", score, "0 as without an alignment, 1 perfect"),
    ...row("unedited model", baseAccuracy, "right on the bases"),
  ];
}

function variablesRow({ variables, ...part }: VariablesScore): Row {
  const name = variables.length === 0 ? "on no variable" : `on ${variables.join(" and ")}`;
  return partRow(name, part);
}

function partRow(name: string, { iia, n, noEdit, fullSwap }: PartScore): Row {
  const swap = fullSwap === undefined ? "" : `, full swap ${numberText(fullSwap)}`;
  return [name, numberText(iia), `${n} examples, no edit ${numberText(noEdit)}${swap}`];
}

/** Names to the left, numbers to the right, remarks after them. */
function aligned(rows: readonly Row[]): string[] {
  const name = Math.max(...rows.map(([text]) => text.length));
  const value = Math.max(...rows.map(([, text]) => text.length));
  return rows.map(([left, number, more = ""]) =>
    `  ${left.padEnd(name)}  ${number.padStart(value)}  ${more}`.trimEnd(),
  );
}
