import type { TopLevelSpec } from "vega-lite";
import { fail } from "../base/errors.ts";
import { writeFileAtomic } from "../files/atomic-file.ts";
import { toSvg } from "./to-svg.ts";

/** As much of `@resvg/resvg-js` as is used: the package need not be there. */
interface Resvg {
  render(): { asPng(): Uint8Array };
  /** Undefined for a picture of nothing. */
  getBBox(): object | undefined;
}

interface ResvgModule {
  readonly Resvg: new (svg: string, options?: object) => Resvg;
}

/** In a variable, so that bundlers do not look for what need not be there. */
const RENDERER = "@resvg/resvg-js";
/** Dots for each pixel of the SVG, for screens of today. */
const ZOOM = 2;
const TEXT =
  '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text y="9" font-family="Helvetica, Arial, sans-serif">x</text></svg>';

/**
 * Draws a plot into a PNG file, with twice as many dots as the SVG has pixels (Node only). This needs
 * the package `@resvg/resvg-js`, which is not installed with this library.
 *
 * @throws TsveneError where that package is not installed, or the system has no fonts.
 *
 * @example
 * ```ts no-run
 * import { heatMap, savePng } from "tsvene";
 * await savePng("out/plot.png", heatMap([[0, 1]], { rows: ["a"], columns: ["b", "c"] }));
 * ```
 */
export async function savePng(path: string, plot: TopLevelSpec | string): Promise<void> {
  const { Resvg } = await requirePngRenderer();
  const fitTo = { mode: "zoom", value: ZOOM };
  const svg = typeof plot === "string" ? plot : await toSvg(plot);
  const png = new Resvg(svg, { fitTo }).render().asPng();
  await writeFileAtomic(path, (write) => write(png));
}

/**
 * What draws PNG files.
 * @throws TsveneError where it is not installed, or the system has no fonts.
 */
export async function requirePngRenderer(): Promise<ResvgModule> {
  const renderer = await loadRenderer();
  if (new renderer.Resvg(TEXT).getBBox() === undefined) {
    fail(
      "savePng",
      "the system has no fonts, so that a picture would be without its text; save an SVG instead",
    );
  }
  return renderer;
}

async function loadRenderer(): Promise<ResvgModule> {
  try {
    return (await import(/* @vite-ignore */ RENDERER)) as ResvgModule;
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== "ERR_MODULE_NOT_FOUND") throw error;
    return fail(
      "savePng",
      `PNG needs the package ${RENDERER}: npm install ${RENDERER}; SVG needs nothing`,
    );
  }
}
