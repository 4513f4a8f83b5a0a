import type { Config } from "vega-lite";

/** Faces of one width, so that a text takes the room that was kept for it on every system. */
export const FONT = "Helvetica, Arial, 'Liberation Sans', sans-serif";
/** Colour of text. */
export const INK = "#1b1e23";
/** Colour of text that explains. */
export const MUTED = "#555b66";

/** What all plots have in common: nothing that is not needed to read them. */
export function plotConfig(): Config {
  return {
    background: "#ffffff",
    padding: 12,
    font: FONT,
    view: { stroke: null },
    // Numbers that are missing are drawn as such, not left out.
    mark: { invalid: "show" },
    title: {
      anchor: "start",
      color: INK,
      fontSize: 15,
      fontWeight: 600,
      subtitleColor: MUTED,
      subtitleFontSize: 12,
      subtitlePadding: 5,
      offset: 14,
    },
    axis: {
      domain: false,
      ticks: false,
      grid: false,
      labelColor: INK,
      labelFontSize: 12,
      labelLimit: 220,
      labelPadding: 7,
      titleColor: MUTED,
      titleFontSize: 12,
      titleFontWeight: "normal",
      titlePadding: 10,
    },
    legend: {
      labelColor: INK,
      labelFontSize: 11,
      titleColor: MUTED,
      titleFontSize: 12,
      titleFontWeight: "normal",
      titlePadding: 8,
      offset: 18,
    },
  };
}
