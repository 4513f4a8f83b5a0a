import { cellColors } from "./colors.ts";
import { type Heat, numberText } from "./heat-table.tsx";

/** A row for each layer, all digits. */
export function heatCsv({ columns, rows }: Heat): string {
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  const lines = rows.map((row, layer) =>
    [
      String(layer),
      ...(row ?? []).map((value) => (Number.isFinite(value) ? String(value) : "")),
    ].join(","),
  );
  return `${["layer", ...columns.map(quoted)].join(",")}\n${lines.join("\n")}\n`;
}

const WIDTH = 72;
const HEIGHT = 30;
const LEFT = 70;
const TOP = 62;

/** The table as a picture. */
export function heatSvg({ title, columns, rows }: Heat): string {
  const most = Math.max(0, ...rows.flat().map((value) => Math.abs(value ?? 0) || 0));
  const width = LEFT + columns.length * WIDTH + 10;
  const height = TOP + rows.length * HEIGHT + 10;
  const heads = columns.map((column, i) => text(LEFT + (i + 0.5) * WIDTH, TOP - 8, column.trim()));
  const cells = rows.flatMap((row, layer) => [
    text(LEFT / 2, TOP + (layer + 0.65) * HEIGHT, `layer ${layer}`),
    ...(row ?? []).map((value, i) => {
      const { background, color } = cellColors(value, most, false);
      const [x, y] = [LEFT + i * WIDTH, TOP + layer * HEIGHT];
      return (
        `<rect x="${x}" y="${y}" width="${WIDTH - 2}" height="${HEIGHT - 2}" fill="${background}"/>` +
        text(x + WIDTH / 2, y + 0.65 * HEIGHT, numberText(value), color)
      );
    }),
  ]);
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" ` +
    `font-size="12"><rect width="100%" height="100%" fill="#fff"/>` +
    `<text x="10" y="22" font-size="14">${escaped(title)}</text>${[...heads, ...cells].join("")}</svg>`
  );
}

function text(x: number, y: number, words: string, color = "#000"): string {
  return `<text x="${x}" y="${y}" text-anchor="middle" fill="${color}">${escaped(words)}</text>`;
}

function escaped(words: string): string {
  return words.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
