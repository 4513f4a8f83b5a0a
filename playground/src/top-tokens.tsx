import type { NextTokens } from "tsvene/worker";
import { Token } from "./heat-table.tsx";

interface TopTokensProps {
  readonly title: string;
  readonly top: NextTokens["top"][number] | undefined;
  /** What is said after the last token, such as which of them is the answer. */
  readonly marked?: string;
}

/** The likeliest next tokens, with bars. */
export function TopTokens({ title, top, marked }: TopTokensProps) {
  return (
    <section class="top">
      <h2>{title}</h2>
      <ol>
        {(top ?? []).map(({ id, token, probability }) => (
          <li key={id} class={token === marked ? "marked" : ""}>
            <Token text={token} />
            <meter min={0} max={1} value={probability} aria-label={`probability of ${token}`} />
            <span class="number">{(100 * probability).toFixed(1)} %</span>
          </li>
        ))}
      </ol>
    </section>
  );
}
