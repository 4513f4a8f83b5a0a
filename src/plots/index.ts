// Draws tables of numbers: as Vega-Lite, as SVG and as text.
export type { GridOptions } from "./grid.ts";
export { heatMap, type HeatMapOptions } from "./heat-map.ts";
export { type HeatMapPart, heatMaps, type HeatMapsOptions } from "./heat-maps.ts";
export { type LinePlot, linePlots, type LinePlotsOptions } from "./line-plots.ts";
export { savePng } from "./save-png.ts";
export { saveSvg } from "./save-svg.ts";
export type { ColorMode, TerminalOptions } from "./terminal-colors.ts";
export {
  terminalColumns,
  type TerminalColumnsOptions,
  type TitledText,
  wrapText,
} from "./terminal-columns.ts";
export { terminalRows, type TerminalRowsOptions } from "./terminal-rows.ts";
export { terminalTable, type TerminalTableOptions } from "./terminal-table.ts";
export {
  terminalTokens,
  tokenStrip,
  tokenStripHtml,
  type TokenStripOptions,
} from "./token-strip.ts";
export { toSvg } from "./to-svg.ts";
