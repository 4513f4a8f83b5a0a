import { useState } from "preact/hooks";
import type { WorkerModel } from "tsvene/worker";
import { Exports } from "./exports.tsx";
import { Choice, Problem } from "./fields.tsx";
import { type Heat, HeatTable, isSame, Token } from "./heat-table.tsx";
import type { Cell, Picture } from "./picture.ts";
import { mapRows, pairOf, patches, type Prompts, type Rows } from "./questions.ts";
import { TopTokens } from "./top-tokens.tsx";
import { useTask } from "./use-task.ts";

interface ViewProps {
  readonly model: WorkerModel;
  readonly picture: Picture;
  readonly prompts: Prompts | undefined;
  readonly onChange: (change: Partial<Picture>) => void;
}

const COMPONENTS: readonly (readonly [string, string])[] = [
  ["block_input", "what enters each layer"],
  ["attention_output", "what attention adds"],
  ["mlp_output", "what the MLP adds"],
  ["block_output", "what leaves each layer"],
];

/** Where it matters: one state after the other is put from the first prompt's run into the second's. */
export function MapView(props: ViewProps) {
  const { model, picture, prompts, onChange } = props;
  const [looked, look] = useState<Cell>();
  const { component, chosen } = picture;
  const pair = prompts && prompts.mismatch === undefined ? pairOf(picture, prompts) : undefined;
  const map = useTask<Rows>(
    pair && (async (signal, show) => mapRows(model, picture, pair, signal, show)),
    JSON.stringify([pair, component, picture.metric]),
  );
  const heat = heatOf(props, map.value);
  const toggle = (cell: Cell): void => onChange({ chosen: toggled(chosen, cell) });
  return (
    <section aria-label="Map" aria-busy={map.isBusy}>
      <Choice
        label="What is put in"
        value={component}
        options={COMPONENTS}
        onChange={(name) => onChange({ component: name, chosen: [] })}
      />
      <Problem text={map.problem} />
      {pair && (
        <HeatTable heat={heat} place="position" chosen={chosen} onChoose={toggle} onLook={look} />
      )}
      {pair && <Patched {...props} columns={heat.columns} looked={looked} />}
      <Exports heat={heat} name="map" isReady={!map.isBusy && map.value !== undefined} />
    </section>
  );
}

function heatOf({ model, picture, prompts }: ViewProps, map: Rows | undefined): Heat {
  const columns = columnsOf(prompts);
  const what = picture.metric === "probability" ? "probability" : "logit difference";
  return {
    title: `Change of the ${what} of ${prompts?.right.trim() ?? ""}`,
    columns,
    rows: Array.from({ length: model.description.layers }, (_, layer) => {
      const row = map?.layers[layer];
      return row?.values.length === columns.length ? [...row.values] : undefined;
    }),
  };
}

interface PatchedProps extends ViewProps {
  readonly columns: readonly string[];
  readonly looked: Cell | undefined;
}

/** What the model says with the patches that are selected, or the one that is pointed at. */
function Patched({ model, picture, prompts, onChange, columns, looked }: PatchedProps) {
  const { chosen, corrupt, clean, component } = picture;
  const cells = chosen.length > 0 ? chosen : [looked ?? []].flat();
  const patched = useTask(
    cells.length === 0
      ? undefined
      : async (signal) =>
          model.forward({ prompts: corrupt, ...patches(picture, cells) }, { signal }),
    JSON.stringify([cells, clean, corrupt, component]),
  );
  if (cells.length === 0) {
    return (
      <p class="patched">
        Point at a cell to see what that patch makes the model say; select several to make them
        together.
      </p>
    );
  }
  const marked = prompts?.right ?? "";
  return (
    <div class="patched">
      <Problem text={patched.problem} />
      <p>
        {chosen.length > 0 ? "Patched together: " : "Patched: "}
        {cells.map(({ layer, place }, i) => (
          <span key={i} class="tag">
            layer {layer}, <Token text={columns[place] ?? String(place)} />
          </span>
        ))}
        {chosen.length > 0 && (
          <button type="button" class="plain" onClick={() => onChange({ chosen: [] })}>
            Take all patches out
          </button>
        )}
      </p>
      <div class="columns" aria-live="polite">
        <TopTokens title="Without patches" top={patched.value?.original.top[0]} marked={marked} />
        <TopTokens title="With them" top={patched.value?.intervened.top[0]} marked={marked} />
      </div>
    </div>
  );
}

/** What the columns are called: the second prompt's tokens, and both where they differ. */
function columnsOf(prompts: Prompts | undefined): readonly string[] {
  if (prompts === undefined) return [];
  const { clean, corrupt } = prompts;
  return corrupt.tokens.map((token, i) =>
    clean.tokens[i] === token ? token : `${clean.tokens[i] ?? ""}→${token.trimStart()}`,
  );
}

function toggled(chosen: readonly Cell[], cell: Cell): readonly Cell[] {
  const left = chosen.filter((one) => !isSame(one, cell));
  return left.length < chosen.length ? left : [...chosen, cell];
}
