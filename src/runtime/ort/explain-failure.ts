/** What ONNX Runtime's nodes that look up positions are called here. */
const LOOKUPS: Readonly<Record<string, string>> = {
  Gather: "indexSelect",
  GatherElements: "gather",
  ScatterElements: "scatter",
  GatherND: "index",
  ScatterND: "indexPut",
};

/** The same by the file of ONNX Runtime that fails: in a page, its words begin there. */
const FILES: Readonly<Record<string, string>> = { gather_elements: "gather" };

const FILE = /(\w+)\.cc:\d+ /;
const NODE = /running (\w+) node\. Name:'([a-z]*)/;
const OUTSIDE = /out of (?:data bounds|range)|invalid ind/i;
const POSITION = /(?:idx ?=|index =|indice =) ?(-?\d+)/;
const RANGE = /inclusive range \[(-?\d+),(-?\d+)\]/;

/** From here on an index is a negative number without its sign; see `fromZero` of the operation. */
const UNSIGNED = 2n ** 62n;

/**
 * What a failed run says to a user: which function met what, and what it wanted. Values that were
 * computed in the run itself could not be checked at the call.
 *
 * @param reason ONNX Runtime's own words, which are kept where they are not understood.
 */
export function explainFailure(reason: string): string {
  const [, node = "", name = ""] = NODE.exec(reason) ?? [];
  if (/integer (division|modulo) by zero/i.test(reason)) {
    return 'div, floorDivide or remainder: integers are divided by zero; use to("float32") first';
  }
  const [, file = ""] = FILE.exec(reason) ?? [];
  const lookup = name === "" ? (LOOKUPS[node] ?? FILES[file]) : name;
  if (lookup === undefined || !OUTSIDE.test(reason)) {
    return `evaluation failed: ${reason}`;
  }
  const [, position] = POSITION.exec(reason) ?? [];
  const [, min, max] = RANGE.exec(reason) ?? [];
  const index = position === undefined ? "an index" : `index ${signed(BigInt(position))}`;
  const least = name === "embedding" ? "0" : min;
  const wanted = max === undefined ? "" : `; expected ${least} to ${max}`;
  return `${lookup}: ${index}, computed in this evaluation, is out of range${wanted}`;
}

function signed(position: bigint): bigint {
  return position < UNSIGNED ? position : position - 2n * UNSIGNED;
}
