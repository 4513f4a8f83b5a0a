import type { NamedArray } from "tsvene";
import type { WorkerModel } from "tsvene/worker";
import { cellColors } from "./colors.ts";
import { Exports } from "./exports.tsx";
import { Problem } from "./fields.tsx";
import { axisText, type Heat, HeatTable } from "./heat-table.tsx";
import type { Cell, Picture } from "./picture.ts";
import { headRows, pairOf, type Prompts } from "./questions.ts";
import { isDark } from "./theme.ts";
import { useTask } from "./use-task.ts";

interface ViewProps {
  readonly model: WorkerModel;
  readonly picture: Picture;
  readonly prompts: Prompts | undefined;
  readonly onChange: (change: Partial<Picture>) => void;
}

/** Which heads the answer needs, and where each of them looks. */
export function HeadsView({ model, picture, prompts, onChange }: ViewProps) {
  const { clean, corrupt, metric, head } = picture;
  const isReady = prompts !== undefined && prompts.mismatch === undefined;
  const key = JSON.stringify([isReady, clean, corrupt, prompts?.right, prompts?.wrong, metric]);
  const heads = useTask(
    isReady
      ? async (signal) => headRows(model, picture, pairOf(picture, prompts), signal)
      : undefined,
    key,
  );
  const attention = useTask(
    clean === "" ? undefined : async (signal) => model.attentionPatterns(clean, {}, { signal }),
    clean,
  );
  const heat =
    heads.value &&
    headHeat(heads.value, metric === "probability" ? "probability" : "logit difference");
  return (
    <section aria-label="Heads" aria-busy={heads.isBusy}>
      <Problem text={heads.problem} />
      {heat && (
        <HeatTable
          heat={heat}
          place="head"
          chosen={[head]}
          onChoose={(cell) => onChange({ head: cell })}
        />
      )}
      <Exports heat={heat ?? EMPTY} name="heads" isReady={heat !== undefined && !heads.isBusy} />
      <Problem text={attention.problem} />
      {attention.value && <Pattern patterns={attention.value} head={head} />}
    </section>
  );
}

const EMPTY: Heat = { title: "", columns: [], rows: [] };

function headHeat(change: NamedArray, metric: string): Heat {
  const layers = change.axis("layer").values;
  const columns = change.axis("head").values.map((head) => `head ${axisText(head)}`);
  return {
    title: `Change of the ${metric} with one head's states from the second prompt`,
    columns,
    rows: layers.map((layer) => [...change.at({ layer }).values]),
  };
}

/** Where one head looks: a row for each token that reads, a column for each that is read. */
function Pattern({ patterns, head }: { readonly patterns: NamedArray; readonly head: Cell }) {
  const layers = patterns.axis("layer").values;
  const heads = patterns.axis("head").values;
  if (!layers.includes(head.layer) || !heads.includes(head.place)) {
    return <Problem text={`This model has no head ${head.place} in layer ${head.layer}.`} />;
  }
  const own = patterns.at({ layer: head.layer, head: head.place });
  const { values: queries, labels = [] } = own.axis("query");
  const rows = queries.map((query) => [...own.at({ query }).values]);
  return (
    <>
      <h2>
        Where head {head.place} of layer {head.layer} looks, in the first prompt
      </h2>
      <div class="scroll" tabIndex={0} role="region" aria-label="Attention">
        <table class="heat attention">
          <caption>Attention: rows read columns</caption>
          <thead>
            <tr>
              <td />
              {labels.map((label, i) => (
                <th key={i} scope="col">
                  {label.trim()}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row, query) => (
              <tr key={query}>
                <th scope="row">{(labels[query] ?? "").trim()}</th>
                {row.map((weight, at) => (
                  <Weight key={at} weight={at > query ? undefined : weight} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function Weight({ weight }: { readonly weight: number | undefined }) {
  if (weight === undefined) return <td />;
  const percent = Math.round(100 * weight);
  return <td style={{ ...cellColors(weight, 1, isDark.value) }}>{percent < 1 ? "" : percent}</td>;
}
