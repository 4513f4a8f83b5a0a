import { Choice, Problem, TextField } from "./fields.tsx";
import { Token } from "./heat-table.tsx";
import { METRICS, type Metric, type Picture } from "./picture.ts";
import type { Prompts } from "./questions.ts";
import { TopTokens } from "./top-tokens.tsx";

interface PromptPairProps {
  readonly picture: Picture;
  readonly prompts: Prompts | undefined;
  readonly onChange: (change: Partial<Picture>) => void;
}

const METRIC_NAMES: { readonly [K in Metric]: string } = {
  probability: "probability of the answer",
  logitDifference: "logit of the answer less that of the other",
};

/** Two prompts, their tokens one above the other, and the answers that are compared. */
export function PromptPair({ picture, prompts, onChange }: PromptPairProps) {
  const { clean, corrupt, view } = picture;
  return (
    <section aria-label="Prompts">
      <div class="columns">
        <TextField
          label="Prompt whose states are put in"
          value={clean}
          onChange={(text) => onChange({ clean: text, chosen: [] })}
        />
        <TextField
          label="Prompt that is patched"
          value={corrupt}
          onChange={(text) => onChange({ corrupt: text, chosen: [] })}
        />
      </div>
      <Strips prompts={prompts} />
      <Problem text={view === "lens" || view === "edit" ? undefined : prompts?.mismatch} />
      <div class="columns">
        <TopTokens title="The first goes on with" top={prompts?.clean.top.slice(0, 4)} />
        <TopTokens title="The second goes on with" top={prompts?.corrupt.top.slice(0, 4)} />
      </div>
      {(view === "map" || view === "heads") && (
        <Answers picture={picture} prompts={prompts} onChange={onChange} />
      )}
    </section>
  );
}

function Answers({ picture, prompts, onChange }: PromptPairProps) {
  const { right, wrong, metric } = picture;
  return (
    <div class="columns">
      <Choice
        label="Answer"
        value={right}
        options={answers(prompts?.clean.top, right)}
        onChange={(text) => onChange({ right: text })}
      />
      <Choice
        label="Other answer"
        value={wrong}
        options={answers(prompts?.corrupt.top, wrong)}
        onChange={(text) => onChange({ wrong: text })}
      />
      <Choice
        label="What is measured"
        value={metric}
        options={METRICS.map((name) => [name, METRIC_NAMES[name]])}
        onChange={(name) => onChange({ metric: name as Metric })}
      />
    </div>
  );
}

function answers(
  top: Prompts["clean"]["top"] | undefined,
  chosen: string,
): readonly (readonly [string, string])[] {
  const said = (top ?? []).map(({ token }) => token);
  const others = chosen === "" || said.includes(chosen) ? said : [chosen, ...said];
  return [
    ["", "what the model thinks likeliest"],
    ...others.map((token) => [token, token] as const),
  ];
}

/** The tokens of both prompts, those that differ marked. */
function Strips({ prompts }: { readonly prompts: Prompts | undefined }) {
  if (prompts === undefined) return <div class="strips" />;
  const { clean, corrupt } = prompts;
  const length = Math.max(clean.tokens.length, corrupt.tokens.length);
  const strip = (title: string, own: readonly string[], other: readonly string[]) => (
    <tr>
      <th scope="row">{title}</th>
      {Array.from({ length }, (_, i) => (
        <td key={i} class={own[i] === other[i] ? "" : "differs"}>
          <Token text={own[i] ?? ""} />
        </td>
      ))}
    </tr>
  );
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Tokens of both prompts">
      <table class="strips">
        <caption>Tokens; those that differ are marked</caption>
        <tbody>
          {strip("first", clean.tokens, corrupt.tokens)}
          {strip("second", corrupt.tokens, clean.tokens)}
        </tbody>
      </table>
    </div>
  );
}
