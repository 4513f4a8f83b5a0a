import { useState } from "preact/hooks";
import type { LensReading, TokenProbability } from "tsvene";
import type { WorkerModel } from "tsvene/worker";
import { cellColors } from "./colors.ts";
import { Problem } from "./fields.tsx";
import { axisText, Token } from "./heat-table.tsx";
import type { Picture } from "./picture.ts";
import { isDark } from "./theme.ts";
import { useTask } from "./use-task.ts";

interface ViewProps {
  readonly model: WorkerModel;
  readonly picture: Picture;
}

/** What each layer would say, of both prompts. */
export function LensView({ model, picture }: ViewProps) {
  return (
    <section aria-label="Logit lens">
      <p>
        What the model would say if each state were its last: the likeliest token, the bluer the
        surer.
      </p>
      <Lens model={model} text={picture.clean} title="First prompt" />
      <Lens model={model} text={picture.corrupt} title="Second prompt" />
    </section>
  );
}

interface LensProps {
  readonly model: WorkerModel;
  readonly text: string;
  readonly title: string;
}

function Lens({ model, text, title }: LensProps) {
  const { value, problem, isBusy } = useTask(
    text === "" ? undefined : async (signal) => model.logitLens(text, { k: 5, signal }),
    text,
  );
  const empty = text === "" ? `${title}: it is empty.` : undefined;
  return (
    <div aria-busy={isBusy}>
      <Problem text={problem ?? empty} />
      {value !== undefined && text !== "" && <LensTable reading={value} title={title} />}
    </div>
  );
}

function LensTable({ reading, title }: { readonly reading: LensReading; readonly title: string }) {
  const [looked, look] = useState<string>();
  const { ids } = reading;
  const layers = ids.axis("layer").values;
  const { values: positions, labels = [] } = ids.axis("position");
  return (
    <>
      <div class="scroll" tabIndex={0} role="region" aria-label={`Lens of the ${title}`}>
        <table class="heat lens">
          <caption>{title}</caption>
          <thead>
            <tr>
              <td />
              {positions.map((_, i) => (
                <th key={i} scope="col">
                  <Token text={labels[i] ?? ""} />
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {[...layers].reverse().map((layer) => (
              <tr key={axisText(layer)}>
                <th scope="row">{layer === "output" ? "output" : `into ${axisText(layer)}`}</th>
                {positions.map((position) => (
                  <LensCell
                    key={axisText(position)}
                    top={reading.top({ layer, position })}
                    onLook={look}
                  />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="looked">{looked ?? "Point at a cell for the five likeliest tokens."}</p>
    </>
  );
}

interface LensCellProps {
  readonly top: readonly TokenProbability[];
  readonly onLook: (said: string) => void;
}

function LensCell({ top, onLook }: LensCellProps) {
  const { token = "", probability = 0 } = top[0] ?? {};
  const said = top
    .map((one) => `${one.token.trim()} ${(100 * one.probability).toFixed(1)} %`)
    .join(", ");
  return (
    <td
      style={{ ...cellColors(probability, 1, isDark.value) }}
      onMouseEnter={() => onLook(said)}
      title={said}
    >
      <Token text={token} />
    </td>
  );
}
