import type { WorkerModel } from "tsvene/worker";
import { editedTexts, INTERVENTIONS } from "./edits.ts";
import { Choice, Problem } from "./fields.tsx";
import type { EditPicture, Picture } from "./picture.ts";
import type { Prompts } from "./questions.ts";
import { TopTokens } from "./top-tokens.tsx";
import { useTask } from "./use-task.ts";

interface ViewProps {
  readonly model: WorkerModel;
  readonly picture: Picture;
  readonly prompts: Prompts | undefined;
  readonly onChange: (change: Partial<Picture>) => void;
}

/** Interventions at any place, chosen from what the model has. */
export function EditView({ model, picture, prompts, onChange }: ViewProps) {
  const { edits, corrupt } = picture;
  const key = JSON.stringify([edits, picture.clean, corrupt]);
  const texts = edits.length > 0 && corrupt !== "" ? editedTexts(picture) : undefined;
  const found = useTask(texts && (async (signal) => model.forward(texts, { signal })), key);
  const plan = useTask(
    texts && (async (signal) => String(await model.explain(texts, { signal }))),
    key,
  );
  const change = (at: number, part: Partial<EditPicture>): void =>
    onChange({ edits: edits.map((edit, i) => (i === at ? { ...edit, ...part } : edit)) });
  return (
    <section aria-label="Editor">
      {edits.map((edit, i) => (
        <fieldset key={i}>
          <legend>Intervention {i + 1}</legend>
          <EditFields
            model={model}
            edit={edit}
            tokens={prompts?.corrupt.tokens ?? []}
            onChange={(part) => change(i, part)}
          />
          <button
            type="button"
            class="plain"
            onClick={() => onChange({ edits: edits.filter((_, other) => other !== i) })}
          >
            Take intervention {i + 1} out
          </button>
        </fieldset>
      ))}
      <button type="button" onClick={() => onChange({ edits: [...edits, NEW] })}>
        Add an intervention
      </button>
      <Problem text={found.problem} />
      <div class="columns">
        <TopTokens title="The second prompt, as it is" top={found.value?.original.top[0]} />
        <TopTokens title="With the interventions" top={found.value?.intervened.top[0]} />
      </div>
      {plan.value && (
        <details>
          <summary>What is computed</summary>
          <pre tabIndex={0}>{plan.value}</pre>
        </details>
      )}
    </section>
  );
}

const NEW: EditPicture = {
  intervention: "ZeroIntervention",
  component: "mlp_output",
  layer: 0,
  position: -1,
};

interface EditFieldsProps {
  readonly model: WorkerModel;
  readonly edit: EditPicture;
  readonly tokens: readonly string[];
  readonly onChange: (part: Partial<EditPicture>) => void;
}

function EditFields({ model, edit, tokens, onChange }: EditFieldsProps) {
  const { components, layers } = model.description;
  // Heads and attention weights have units of their own, which this editor does not ask for.
  const names = components.filter(({ name }) => !/^head_|attention_weight/.test(name));
  return (
    <div class="columns">
      <Choice
        label="What is done"
        value={edit.intervention}
        options={INTERVENTIONS}
        onChange={(intervention) => onChange({ intervention })}
      />
      <Choice
        label="Where"
        value={edit.component}
        options={names.map(({ name }) => [name, name.replaceAll("_", " ")])}
        onChange={(component) => onChange({ component })}
      />
      <Choice
        label="Layer"
        value={String(edit.layer)}
        options={Array.from({ length: layers }, (_, i) => [String(i), String(i)])}
        onChange={(layer) => onChange({ layer: Number(layer) })}
      />
      <Choice
        label="Position"
        value={String(edit.position)}
        options={[
          ["-1", "all"],
          ...tokens.map((token, i) => [String(i), `${i} ${token}`] as const),
        ]}
        onChange={(position) => onChange({ position: Number(position) })}
      />
    </div>
  );
}
