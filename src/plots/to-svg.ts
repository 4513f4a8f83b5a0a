import type { TopLevelSpec } from "vega-lite";
import { textWidth } from "./text-width.ts";

/**
 * Draws a plot. Vega is loaded on the first call, and needs neither a browser nor a canvas.
 *
 * @param spec - A Vega-Lite specification, such as {@link heatMap} gives.
 * @returns The text of an SVG file, with the specification's title and description for those who
 * cannot see it.
 * @throws Error from Vega-Lite for a specification that it cannot read.
 *
 * @example
 * ```ts
 * import { heatMap, toSvg } from "tsvene";
 * const svg = await toSvg(heatMap([[0, 1]], { rows: ["a"], columns: ["b", "c"] }));
 * console.log(svg.length);
 * ```
 */
export async function toSvg(spec: TopLevelSpec): Promise<string> {
  const [vega, vegaLite, { expressionInterpreter }] = await Promise.all([
    import("vega"),
    import("vega-lite"),
    import("vega-interpreter"),
  ]);
  measureText(vega);
  const { spec: compiled } = vegaLite.compile(spec);
  // Expressions are walked and not compiled, which a page's security policy may forbid.
  const view = new vega.View(vega.parse(compiled, {}, { ast: true }), {
    renderer: "none",
    expr: expressionInterpreter,
  });
  try {
    return withTitle(await view.toSVG(), titleOf(spec), spec.description);
  } finally {
    view.finalize();
  }
}

/** Titles, which alone are bold, are kept this much more room: not every system has Helvetica. */
const ROOM = 1.22;

/** What Vega knows of a text's look when it lays it out. */
interface TextItem {
  readonly fontSize?: number;
  readonly fontWeight?: string | number;
}

type TextLine = string | number | null | undefined;

/** Vega's measure of texts, which is exported but not in its types. */
interface TextMetrics {
  width: (item: TextItem, text: TextLine) => number;
  readonly estimateWidth: (item: TextItem, text: TextLine) => number;
}

/**
 * Without a canvas Vega takes every character for 0.8 of the font's size, and leaves wide gaps. It
 * lets a better measure be put in this place.
 */
function measureText(vega: object): void {
  const { textMetrics: metrics } = vega as { readonly textMetrics?: TextMetrics };
  if (metrics === undefined || metrics.width !== metrics.estimateWidth) return;
  metrics.width = ({ fontSize = 11, fontWeight = "normal" }, text) => {
    const bold = fontWeight === "bold" || Number(fontWeight) >= 600;
    return textWidth(String(text ?? ""), fontSize, bold) * (bold ? ROOM : 1);
  };
}

function titleOf({ title }: TopLevelSpec): string | undefined {
  if (typeof title === "string") return title;
  if (title === undefined || title === null || !("text" in title)) return undefined;
  return typeof title.text === "string" ? title.text : undefined;
}

/** Readers of a screen take an SVG's name from its first child `title`, which Vega does not write. */
function withTitle(
  svg: string,
  title: string | undefined,
  description: string | undefined,
): string {
  const parts = [
    title === undefined ? "" : `<title>${escapeText(title)}</title>`,
    description === undefined ? "" : `<desc>${escapeText(description)}</desc>`,
  ];
  return svg.replace(/<svg\b[^>]*>/, (root) => root + parts.join(""));
}

/** Text as it stands in an SVG. */
export function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
