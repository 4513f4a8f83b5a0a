import type { TopLevelSpec } from "vega-lite";
import { TsveneError } from "../base/errors.ts";
import { toSvg } from "./to-svg.ts";

/** What notebooks ask objects for. */
const DISPLAY = Symbol.for("Jupyter.display");

/** The forms that a notebook chooses from, by media type. */
type MediaBundle = Readonly<Record<string, string>>;

/**
 * Makes notebooks show a picture of all objects of a class: those that ask for the method
 * `Symbol.for("Jupyter.display")`, as Deno's kernel does. What cannot be drawn, such as numbers by too many
 * axes, is shown in words.
 *
 * @param picture - A specification of Vega-Lite, or an SVG.
 */
export function showsInNotebooks<T extends { toString(): string }>(
  prototype: T,
  picture: (object: T) => TopLevelSpec | string,
): void {
  Object.defineProperty(prototype, DISPLAY, {
    async value(this: T): Promise<MediaBundle> {
      const words = { "text/plain": this.toString() };
      const drawn = drawnOf(() => picture(this));
      if (drawn === undefined) return words;
      return { ...words, "image/svg+xml": typeof drawn === "string" ? drawn : await toSvg(drawn) };
    },
  });
}

function drawnOf<D>(picture: () => D): D | undefined {
  try {
    return picture();
  } catch (error) {
    if (error instanceof TsveneError) return undefined;
    throw error;
  }
}
