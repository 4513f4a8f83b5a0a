import { useRef } from "preact/hooks";
import { cellColors } from "./colors.ts";
import type { Cell } from "./picture.ts";
import { isDark } from "./theme.ts";

/** A table of numbers by layer and by position or head. */
export interface Heat {
  /** What the numbers are. */
  readonly title: string;
  readonly columns: readonly string[];
  /** A row for each layer; undefined where it is not there yet. */
  readonly rows: readonly (readonly number[] | undefined)[];
}

interface HeatTableProps {
  readonly heat: Heat;
  /** What a column is called, such as "position". */
  readonly place: string;
  readonly chosen: readonly Cell[];
  readonly onChoose: (cell: Cell) => void;
  readonly onLook?: (cell: Cell) => void;
}

const STEPS: Readonly<Record<string, readonly [down: number, right: number]>> = {
  ArrowDown: [1, 0],
  ArrowUp: [-1, 0],
  ArrowRight: [0, 1],
  ArrowLeft: [0, -1],
};

/** A heat map whose cells are buttons; arrow keys go from one to the next. */
export function HeatTable({ heat, place, chosen, onChoose, onLook }: HeatTableProps) {
  const table = useRef<HTMLTableElement>(null);
  const most = Math.max(0, ...heat.rows.flatMap((row) => row?.map(size) ?? []));
  const go = (event: KeyboardEvent, { layer, place: at }: Cell): void => {
    const [down, right] = STEPS[event.key] ?? [0, 0];
    if (down === 0 && right === 0) return;
    event.preventDefault();
    const row = table.current?.tBodies[0]?.rows[layer + down];
    row?.cells[at + 1 + right]?.querySelector("button")?.focus();
  };
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={heat.title}>
      <table class="heat" ref={table}>
        <caption>{heat.title}</caption>
        <thead>
          <tr>
            <td />
            {heat.columns.map((column, i) => (
              <th key={i} scope="col">
                <Token text={column} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {heat.rows.map((row, layer) => (
            <tr key={layer}>
              <th scope="row">layer {layer}</th>
              {heat.columns.map((column, at) => (
                <HeatCell
                  key={at}
                  cell={{ layer, place: at }}
                  label={`layer ${layer}, ${place} ${at} ${column.trim()}`}
                  value={row?.[at]}
                  most={most}
                  isChosen={chosen.some((one) => isSame(one, { layer, place: at }))}
                  onChoose={onChoose}
                  onKey={go}
                  {...(onLook && { onLook })}
                />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface HeatCellProps {
  readonly cell: Cell;
  readonly label: string;
  readonly value: number | undefined;
  /** Of which size on colours are full. */
  readonly most: number;
  readonly isChosen: boolean;
  readonly onChoose: (cell: Cell) => void;
  readonly onKey: (event: KeyboardEvent, cell: Cell) => void;
  readonly onLook?: (cell: Cell) => void;
}

function HeatCell(props: HeatCellProps) {
  const { cell, label, value, most, isChosen, onChoose, onKey, onLook } = props;
  const text = value === undefined ? "…" : numberText(value);
  return (
    <td>
      <button
        type="button"
        aria-pressed={isChosen}
        aria-label={`${label}: ${text}`}
        style={{ ...cellColors(value ?? NaN, most, isDark.value) }}
        onClick={() => onChoose(cell)}
        onKeyDown={(event) => onKey(event, cell)}
        onFocus={() => onLook?.(cell)}
        onMouseEnter={() => onLook?.(cell)}
      >
        {text}
      </button>
    </td>
  );
}

/** A token with its spaces to be seen. */
export function Token({ text }: { readonly text: string }) {
  return <span class="token">{text.replaceAll(" ", "␣").replaceAll("\n", "⏎")}</span>;
}

/** What a value of an axis is called. */
export function axisText(value: unknown): string {
  return typeof value === "string" || typeof value === "number"
    ? String(value)
    : JSON.stringify(value);
}

/** Whether two cells are one. */
export function isSame(a: Cell, b: Cell): boolean {
  return a.layer === b.layer && a.place === b.place;
}

function size(value: number): number {
  return Number.isFinite(value) ? Math.abs(value) : 0;
}

/** A number with two digits, and a minus for a hyphen. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const text = value.toFixed(2);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
}
