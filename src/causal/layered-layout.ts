/** One variable to be placed. */
export interface LayoutNode {
  /** What edges call it. */
  readonly name: string;
  /** The layer that it is in; only the order of layers counts. */
  readonly layer: number;
  /** How much room it takes along its layer. */
  readonly width: number;
}

/** Where everything is: along the layer, and across layers as their number from 0. */
export interface Layout {
  /** Middle of each variable along its layer, from the left end of the picture. */
  readonly places: ReadonlyMap<string, Place>;
  /** For each edge the places that it goes through, ends included. */
  readonly ways: readonly (readonly Place[])[];
  /** Length of the longest layer. */
  readonly length: number;
  /** How many layers there are. */
  readonly layers: number;
}

/** A point of the layout. */
export interface Place {
  /** Along the layer. */
  readonly along: number;
  /** Number of the layer. */
  readonly layer: number;
}

/** A variable, or a point where an edge crosses a layer. */
interface Slot {
  readonly width: number;
  readonly layer: number;
  readonly before: Slot[];
  readonly after: Slot[];
  along: number;
}

type Edge = readonly [from: string, to: string];

const GAP = 28;
const CROSSING_WIDTH = 8;
const SWEEPS = 12;

/**
 * Places a graph in layers, as Sugiyama, Tagawa and Toda do ("Methods for visual understanding of
 * hierarchical system structures", 1981): an edge over several layers becomes a chain of points, layers are
 * sorted by the means of their neighbours until no better order is found, and everything is then
 * moved towards its neighbours as far as the others leave room.
 */
export function layeredLayout(nodes: readonly LayoutNode[], edges: readonly Edge[]): Layout {
  const numbers = [...new Set(nodes.map(({ layer }) => layer))].sort((a, b) => a - b);
  const layers: Slot[][] = numbers.map(() => []);
  const slots = new Map(
    nodes.map(({ name, layer, width }) => [name, added(layers, numbers.indexOf(layer), width)]),
  );
  const chains = edges.flatMap(([from, to]) => {
    const [start, end] = [slots.get(from), slots.get(to)];
    return start === undefined || end === undefined ? [] : [chain(layers, start, end)];
  });
  const ordered = bestOrder(layers);
  settle(ordered);
  const all = ordered.flat();
  const left = Math.min(...all.map(({ along, width }) => along - width / 2));
  const right = Math.max(...all.map(({ along, width }) => along + width / 2));
  const placeOf = ({ along, layer }: Slot): Place => ({ along: along - left, layer });
  return {
    places: new Map([...slots].map(([name, slot]) => [name, placeOf(slot)])),
    ways: chains.map((way) => way.map(placeOf)),
    length: right - left,
    layers: layers.length,
  };
}

function added(layers: Slot[][], layer: number, width: number): Slot {
  const slot: Slot = { width, layer, before: [], after: [], along: 0 };
  layers[layer]?.push(slot);
  return slot;
}

/** The points of an edge, one in each layer that it crosses. */
function chain(layers: Slot[][], start: Slot, end: Slot): Slot[] {
  const between = Array.from({ length: end.layer - start.layer - 1 }, (_, i) =>
    added(layers, start.layer + 1 + i, CROSSING_WIDTH),
  );
  const way = [start, ...between, end];
  for (const [i, slot] of way.slice(1).entries()) {
    way[i]?.after.push(slot);
    slot.before.push(way[i] ?? start);
  }
  return way;
}

/** The order with the fewest crossings among those that sorting by neighbours goes through. */
function bestOrder(layers: readonly Slot[][]): Slot[][] {
  let order = layers.map((layer) => [...layer]);
  let best = { order, crossings: crossings(order) };
  for (let sweep = 0; sweep < SWEEPS && best.crossings > 0; sweep++) {
    order = sorted(order, sweep % 2 === 0 ? "before" : "after");
    const count = crossings(order);
    if (count < best.crossings) best = { order, crossings: count };
  }
  return best.order;
}

function sorted(layers: readonly Slot[][], side: "before" | "after"): Slot[][] {
  const ranks = new Map<Slot, number>();
  const number = (layer: readonly Slot[]) => layer.forEach((slot, i) => ranks.set(slot, i));
  layers.forEach(number);
  const out = layers.map((layer) => layer);
  const inTurn = side === "before" ? [...layers.keys()] : [...layers.keys()].toReversed();
  for (const i of inTurn) {
    const rank = (slot: Slot) => ranks.get(slot) ?? 0;
    const wanted = (slot: Slot) => mean(slot[side], rank) ?? rank(slot);
    const layer = (layers[i] ?? []).toSorted((a, b) => wanted(a) - wanted(b));
    number(layer);
    out[i] = layer;
  }
  return out;
}

function crossings(layers: readonly (readonly Slot[])[]): number {
  const ranks = new Map(layers.flatMap((layer) => layer.map((slot, i) => [slot, i] as const)));
  const rank = (slot: Slot) => ranks.get(slot) ?? 0;
  let count = 0;
  for (const layer of layers) {
    const ends = layer.flatMap((slot) => slot.after.map((to) => [rank(slot), rank(to)] as const));
    for (const [i, [from, to]] of ends.entries()) {
      count += ends.slice(0, i).filter((at) => (at[0] - from) * (at[1] - to) < 0).length;
    }
  }
  return count;
}

function mean(slots: readonly Slot[], of: (slot: Slot) => number): number | undefined {
  if (slots.length === 0) return undefined;
  return slots.reduce((sum, slot) => sum + of(slot), 0) / slots.length;
}

/** Moves slots towards their parents and towards their children in turn, and to their parents at last. */
function settle(layers: readonly (readonly Slot[])[]): void {
  for (const layer of layers) {
    const anywhere = layer.map(() => 0);
    place(layer, anywhere);
  }
  for (let sweep = 0; sweep <= SWEEPS; sweep++) {
    const [side, inTurn] =
      sweep % 2 === 0 ? (["before", layers] as const) : (["after", layers.toReversed()] as const);
    for (const layer of inTurn) {
      const wanted = layer.map((slot) => mean(slot[side], (at) => at.along) ?? slot.along);
      place(layer, wanted);
    }
  }
}

/**
 * Puts a layer's slots as near to where they are wanted as their order and widths allow, by least squares:
 * those that would overlap become one block at the mean of what they want.
 */
function place(layer: readonly Slot[], wanted: readonly number[]): void {
  const offsets: number[] = [];
  let offset = 0;
  for (const [i, slot] of layer.entries()) {
    const before = layer[i - 1];
    if (before !== undefined) offset += (before.width + slot.width) / 2 + GAP;
    offsets.push(offset);
  }
  const blocks: { sum: number; count: number }[] = [];
  for (const [i, want] of wanted.entries()) {
    let block = { sum: want - (offsets[i] ?? 0), count: 1 };
    for (let last = blocks.at(-1); last !== undefined; last = blocks.at(-1)) {
      if (last.sum / last.count < block.sum / block.count) break;
      block = { sum: last.sum + block.sum, count: last.count + block.count };
      blocks.pop();
    }
    blocks.push(block);
  }
  const starts = blocks.flatMap(({ sum, count }) =>
    Array.from({ length: count }, () => sum / count),
  );
  for (const [i, slot] of layer.entries()) slot.along = (starts[i] ?? 0) + (offsets[i] ?? 0);
}
