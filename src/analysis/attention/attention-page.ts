import { fail } from "../../base/errors.ts";
import { type OptionNames, requireKnownOptions } from "../../base/known-options.ts";
import { hexColor, rampColor } from "../../plots/color-ramp.ts";
import { FONT, INK, MUTED } from "../../plots/theme.ts";
import { escapeText } from "../../plots/to-svg.ts";
import type { NamedArray } from "../results/named-array.ts";
import { labelsOf } from "../results/named-axis.ts";
import { PAGE_SCRIPT } from "./attention-page-script.ts";
import { wholePatterns } from "./attention-plot.ts";

/** How a page of attention looks. */
export interface AttentionPageOptions {
  /** What the page is called. @default "Attention" */
  readonly title?: string;
}

const OP = "attentionPage";
const OPTIONS: OptionNames<AttentionPageOptions> = { title: true };
const COLORS = 32;

/**
 * A page that shows attention by itself, without a network: all heads small, the chosen one large, and the
 * text, in which a token under the pointer shows what it attends to, or what attends to it. It may be written
 * into a file, or into an element `<iframe srcdoc>` of a notebook.
 *
 * @param patterns - As `attentionPatterns` gives them; queries and keys are the same tokens.
 * @returns The text of an HTML file.
 *
 * @example
 * ```ts no-run
 * import { writeFile } from "node:fs/promises";
 * import { attentionPage, attentionPatterns, AutoModelForCausalLM, AutoTokenizer } from "tsvene";
 * const model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
 * const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
 * const patterns = await attentionPatterns(model, "The capital of Italy is", { tokenizer });
 * await writeFile("attention.html", attentionPage(patterns));
 * ```
 */
export function attentionPage(patterns: NamedArray, options: AttentionPageOptions = {}): string {
  requireKnownOptions(OP, options, OPTIONS);
  const whole = wholePatterns(OP, patterns);
  const { title = "Attention" } = options;
  const [, , queries, keys] = whole.shape;
  if (queries !== keys) fail(OP, `queries and keys are ${queries} and ${keys}, not one text`);
  const data = {
    layers: labelsOf(whole.axis("layer")),
    heads: labelsOf(whole.axis("head")),
    tokens: labelsOf(whole.axis("query")),
    colors: Array.from({ length: COLORS }, (_, i) =>
      hexColor(rampColor("sequential", "paper", i / (COLORS - 1))),
    ),
    // Shares in 255ths, and 0 for what does not exist.
    values: base64(Uint8Array.from(whole.values, (value) => Math.round(255 * (value || 0)))),
  };
  // "<" could end the script.
  const json = JSON.stringify(data).replaceAll("<", "\\u003c");
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeText(title)}</title>
<style>${STYLE}</style>
<h1>${escapeText(title)}</h1>
<p>Point at a token to see <label><input type="radio" name="way" value="from" checked> what it attends to</label>
<label><input type="radio" name="way" value="to"> what attends to it</label>. Choose a head below.</p>
<div id="text"></div>
<div id="views"><div id="heads"></div><figure><figcaption></figcaption><canvas id="large"></canvas><output></output></figure></div>
<script id="data" type="application/json">${json}</script>
<script>${PAGE_SCRIPT}</script>
</html>
`;
}

const STYLE = `
body{font:15px/1.5 ${FONT};color:${INK};background:#fff;margin:20px}
h1{font-size:18px;margin:0 0 4px}p{color:${MUTED};margin:0 0 12px}label{white-space:nowrap}
#text{line-height:2.1;margin-bottom:16px;max-width:70em}
#text span{padding:3px 1px;border-radius:3px;white-space:pre-wrap;cursor:default}
#text span.here{outline:2px solid ${INK}}
#views{display:flex;flex-wrap:wrap;gap:24px;align-items:flex-start}
#heads{display:grid;gap:6px}#heads button{padding:0;border:1px solid #d3d6da;background:none;line-height:0;cursor:pointer}
#heads button[aria-pressed=true]{outline:2px solid ${INK}}
#heads .name{font-size:12px;color:${MUTED};align-self:center;text-align:center}
figure{margin:0}figcaption{font-weight:600;margin-bottom:6px}#large{border:1px solid #d3d6da;display:block}
output{color:${MUTED};font-size:13px;display:block;min-height:1.6em}`;

/** As `btoa` gives it, which Node and pages have. */
function base64(bytes: Uint8Array): string {
  const PART = 8192;
  const parts = Array.from({ length: Math.ceil(bytes.length / PART) }, (_, i) =>
    String.fromCharCode(...bytes.subarray(i * PART, (i + 1) * PART)),
  );
  return btoa(parts.join(""));
}
