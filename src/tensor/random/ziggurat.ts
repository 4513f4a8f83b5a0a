import { exp, log } from "./portable-math.ts";

/** Where random 32-bit words come from. */
export interface WordSource {
  /** The next word, as a signed 32-bit integer. */
  word(): number;
}

// 128 layers of equal area under the normal density: Marsaglia and Tsang, "The ziggurat method for
// generating random variables" (2000), with the layer and the position in it taken from different
// bits, as Doornik asks in "An improved ziggurat method to generate normal random samples" (2005).
const LAYERS = 128;
/** Where the tail begins. */
const TAIL = 3.442619855899;
/** Area of a layer. */
const AREA = 9.91256303526217e-3;

const density = (x: number): number => exp(-0.5 * x * x);

/** Right ends of the layers, the widest first; 0 at the end. */
const EDGES = new Float64Array(LAYERS + 1);
/** Share of a layer that lies under the density whatever the height. */
const INNER = new Float64Array(LAYERS);
EDGES[0] = AREA / density(TAIL);
EDGES[1] = TAIL;
for (let i = 2; i < LAYERS; i++) {
  const before = EDGES[i - 1] ?? 0;
  EDGES[i] = Math.sqrt(-2 * log(AREA / before + density(before)));
}
for (let i = 0; i < LAYERS; i++) INNER[i] = (EDGES[i + 1] ?? 0) / (EDGES[i] ?? 1);

/** A number in (0, 1) of 32 bits. */
const open = (source: WordSource): number => ((source.word() >>> 0) + 0.5) / 2 ** 32;

/** A sample beyond `TAIL`, by Marsaglia's method. */
function tail(source: WordSource): number {
  for (;;) {
    const x = -log(open(source)) / TAIL;
    if (-2 * log(open(source)) >= x * x) return TAIL + x;
  }
}

/** A sample for a position that is not in the inner part of its layer; undefined to try again. */
function outer(layer: number, u: number, source: WordSource): number | undefined {
  if (layer === 0) return u < 0 ? -tail(source) : tail(source);
  const [edge, next] = [EDGES[layer] ?? 0, EDGES[layer + 1] ?? 0];
  const x = u * edge;
  const [low, high] = [density(edge), density(next)];
  return low + open(source) * (high - low) < density(x) ? x : undefined;
}

/** A standard normal number with all the bits of a float64. */
export function normal(source: WordSource): number {
  for (;;) {
    const word = source.word();
    const layer = word & (LAYERS - 1);
    const u = ((word >> 7) + ((source.word() >>> 4) + 0.5) / 2 ** 28) / 2 ** 24;
    if (Math.abs(u) < (INNER[layer] ?? 0)) return u * (EDGES[layer] ?? 0);
    const x = outer(layer, u, source);
    if (x !== undefined) return x;
  }
}

/** A standard normal number with the bits of a float32, from one word as a rule. */
export function shortNormal(source: WordSource): number {
  for (;;) {
    const word = source.word();
    const layer = word & (LAYERS - 1);
    const u = ((word >> 7) + 0.5) / 2 ** 24;
    if (Math.abs(u) < (INNER[layer] ?? 0)) return u * (EDGES[layer] ?? 0);
    const x = outer(layer, u, source);
    if (x !== undefined) return x;
  }
}
