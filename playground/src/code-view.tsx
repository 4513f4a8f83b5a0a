import type { Answers } from "./code/answers.ts";
import { pythonOf } from "./code/python.ts";
import { typescriptOf } from "./code/typescript.ts";
import type { Picture } from "./picture.ts";

interface CodeViewProps {
  readonly picture: Picture;
  readonly answers: Answers;
}

/** What the page does, as programs that give the same. */
export function CodeView({ picture, answers }: CodeViewProps) {
  return (
    <details class="code">
      <summary>Show the code</summary>
      <div class="columns">
        <Program title="TypeScript, tsvene" code={typescriptOf(picture, answers)} />
        <Program title="Python, pyvene" code={pythonOf(picture, answers)} />
      </div>
    </details>
  );
}

function Program({ title, code }: { readonly title: string; readonly code: string }) {
  return (
    <section>
      <h2>
        {title}
        <button
          type="button"
          class="plain"
          onClick={() => void navigator.clipboard.writeText(code)}
        >
          Copy
        </button>
      </h2>
      <pre tabIndex={0}>
        <code>{code}</code>
      </pre>
    </section>
  );
}
