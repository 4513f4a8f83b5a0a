import { Generator } from "../../tensor/random/random.ts";
import { Tensor } from "../../tensor/tensor.ts";

const MOST_ROUNDS = 100;
const STARTS = 8;

type Point = readonly number[];

/** The centres of two clusters of rows: of several starts, the ones that are nearest to their rows. */
export function twoMeans(rows: Tensor, seed: number): readonly [Tensor, Tensor] {
  const width = rows.size(1);
  const values = rows.values ?? [];
  const points = Array.from({ length: rows.size(0) }, (_, i): Point =>
    Array.from(values.slice(i * width, (i + 1) * width), Number),
  );
  const generator = new Generator(seed);
  const found = Array.from({ length: STARTS }, () => settled(points, farApart(points, generator)));
  const [best] = found.sort((a, b) => a.cost - b.cost);
  const [one = [], other = []] = best?.centres ?? [];
  const tensor = (point: Point): Tensor => Tensor.fromData(Float64Array.from(point), [width]);
  return [tensor(one), tensor(other)];
}

/** A point, and another by its squared distance (k-means++: Arthur and Vassilvitskii, 2007). */
function farApart(points: readonly Point[], generator: Generator): readonly [Point, Point] {
  const first = points[Math.floor(generator.uniform() * points.length)] ?? [];
  const weights = points.map((point) => squared(point, first));
  let left = generator.uniform() * weights.reduce((sum, weight) => sum + weight, 0);
  const second = points.find((_, i) => (left -= weights[i] ?? 0) < 0) ?? first;
  return [first, second];
}

/** Lloyd's algorithm until no point changes sides. */
function settled(
  points: readonly Point[],
  start: readonly [Point, Point],
): { readonly centres: readonly [Point, Point]; readonly cost: number } {
  let centres = start;
  let sides: readonly boolean[] = [];
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const now = points.map((point) => squared(point, centres[0]) <= squared(point, centres[1]));
    if (now.every((side, i) => side === sides[i])) break;
    sides = now;
    centres = [centre(points, now, true, centres[0]), centre(points, now, false, centres[1])];
  }
  const cost = points.reduce((sum, point) => sum + Math.min(...centres.map((c) => squared(point, c))), 0); // prettier-ignore
  return { centres, cost };
}

function centre(
  points: readonly Point[],
  sides: readonly boolean[],
  side: boolean,
  last: Point,
): Point {
  const own = points.filter((_, i) => sides[i] === side);
  return own.length === 0 ? last : last.map((_, d) => own.reduce((sum, p) => sum + (p[d] ?? 0), 0) / own.length); // prettier-ignore
}

function squared(a: Point, b: Point): number {
  return a.reduce((sum, value, i) => sum + (value - (b[i] ?? 0)) ** 2, 0);
}
