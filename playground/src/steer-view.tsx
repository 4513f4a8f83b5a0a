import type { WorkerModel, WrittenTexts } from "tsvene/worker";
import { Choice, LinesField, Problem, Slider, TextField } from "./fields.tsx";
import type { Picture, SteeringPicture } from "./picture.ts";
import { steeredWriting } from "./steering.ts";
import { useTask } from "./use-task.ts";

interface ViewProps {
  readonly model: WorkerModel;
  readonly picture: Picture;
  readonly onChange: (change: Partial<Picture>) => void;
}

/** Texts that differ in one thing make a direction, which is added while a text is written. */
export function SteerView({ model, picture, onChange }: ViewProps) {
  const { steering } = picture;
  const missing = missingOf(steering);
  const written = useTask<WrittenTexts>(
    missing === undefined
      ? async (signal, show) => model.generate(steeredWriting(steering), { signal, onPart: show })
      : undefined,
    JSON.stringify(steering),
  );
  return (
    <section aria-label="Steering">
      <SteeringFields
        steering={steering}
        layers={model.description.layers}
        onChange={(part) => onChange({ steering: { ...steering, ...part } })}
      />
      <Problem text={written.problem ?? missing} />
      <div class="columns" aria-busy={written.isBusy}>
        <Story title="As it is" begin={steering.prompt} text={written.value?.original?.text} />
        <Story title="Steered" begin={steering.prompt} text={written.value?.intervened?.text} />
      </div>
    </section>
  );
}

interface SteeringFieldsProps {
  readonly steering: SteeringPicture;
  readonly layers: number;
  readonly onChange: (part: Partial<SteeringPicture>) => void;
}

function SteeringFields({ steering, layers, onChange }: SteeringFieldsProps) {
  const { positive, negative, prompt, layer } = steering;
  return (
    <>
      <div class="columns">
        <LinesField
          label="Texts with what is wanted, one a line"
          value={positive.join("\n")}
          onChange={(text) => onChange({ positive: text.split("\n").slice(0, 50) })}
        />
        <LinesField
          label="Texts without it, one a line"
          value={negative.join("\n")}
          onChange={(text) => onChange({ negative: text.split("\n").slice(0, 50) })}
        />
      </div>
      <TextField
        label="How the text begins"
        value={prompt}
        onChange={(text) => onChange({ prompt: text })}
      />
      <div class="columns">
        <Choice
          label="Added to what leaves layer"
          value={String(layer)}
          options={Array.from({ length: layers }, (_, i) => [String(i), String(i)])}
          onChange={(chosen) => onChange({ layer: Number(chosen) })}
        />
        <Amounts steering={steering} onChange={onChange} />
      </div>
    </>
  );
}

function Amounts({ steering, onChange }: Omit<SteeringFieldsProps, "layers">) {
  const { strength, tokens } = steering;
  return (
    <>
      <Slider
        label="Strength"
        value={strength}
        min={-3}
        max={3}
        step={0.25}
        onChange={(value) => onChange({ strength: value })}
      />
      <Slider
        label="New tokens"
        value={tokens}
        min={5}
        max={100}
        step={5}
        onChange={(value) => onChange({ tokens: value })}
      />
    </>
  );
}

interface StoryProps {
  readonly title: string;
  readonly begin: string;
  readonly text: string | undefined;
}

function Story({ title, begin, text }: StoryProps) {
  return (
    <section class="story">
      <h2>{title}</h2>
      <p>
        <span class="begin">{begin}</span>
        {text}
      </p>
    </section>
  );
}

function missingOf({ prompt, positive, negative }: SteeringPicture): string | undefined {
  const isEmpty = (texts: readonly string[]): boolean => texts.every((text) => text === "");
  if (prompt === "") return "Write how the text begins.";
  if (isEmpty(positive)) return "Write at least one text with what is wanted.";
  if (isEmpty(negative)) return "Write at least one text without it.";
  return undefined;
}
