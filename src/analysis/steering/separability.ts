import { range } from "../../base/lists.ts";
import { cat } from "../../tensor/functions/shaping.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { canSpare, findDirection, type SteeringMethod, type TwoSets } from "./find-direction.ts";

/** Standard deviation of all states along a vector's direction. */
export async function spreadAlong(
  vector: Tensor,
  { positive, negative }: TwoSets,
): Promise<number> {
  const along = await projected(cat([positive, negative], 0), vector);
  const mean = along.reduce((sum, value) => sum + value, 0) / along.length;
  return Math.sqrt(along.reduce((sum, value) => sum + (value - mean) ** 2, 0) / along.length);
}

/**
 * The share of texts that are on the right side of the middle between the means, along vectors of the same
 * method that were found in the others; NaN where there are too few to leave some out.
 */
export async function heldOutShare(
  method: SteeringMethod,
  { positive, negative }: TwoSets,
  folds: number,
): Promise<number> {
  const fewest = Math.min(positive.size(0), negative.size(0));
  const parts = Math.min(folds, fewest);
  if (parts < 2 || !canSpare(method, fewest, Math.ceil(fewest / parts))) return NaN;
  let told = 0;
  for (let part = 0; part < parts; part++) {
    const [test, rest] = [true, false].map((isTest) => ({
      positive: rowsOf(positive, (i) => (i % parts === part) === isTest),
      negative: rowsOf(negative, (i) => (i % parts === part) === isTest),
    })) as [TwoSets, TwoSets];
    told += await toldOf(await findDirection(method, rest), rest, test);
  }
  return told / (positive.size(0) + negative.size(0));
}

function rowsOf(states: Tensor, isWanted: (row: number) => boolean): Tensor {
  const rows = range(states.size(0)).filter(isWanted);
  return states.indexSelect(0, rows);
}

/** How many of the tested states are on the right side; half of those in the middle. */
async function toldOf(vector: Tensor, known: TwoSets, test: TwoSets): Promise<number> {
  const of = async (set: Tensor): Promise<readonly number[]> => projected(set, vector);
  const mean = async (set: Tensor): Promise<number> => {
    const along = await of(set);
    return along.reduce((sum, value) => sum + value, 0) / along.length;
  };
  const middle = ((await mean(known.positive)) + (await mean(known.negative))) / 2;
  const share = (values: readonly number[], sign: number): number =>
    values.reduce((sum, value) => sum + (1 + Math.sign(sign * (value - middle))) / 2, 0);
  return share(await of(test.positive), 1) + share(await of(test.negative), -1);
}

/** Coordinates along the vector's direction. */
async function projected(states: Tensor, vector: Tensor): Promise<readonly number[]> {
  const wide = vector.to("float64");
  const length = await wide.square().sum().sqrt().item();
  const along = await states.to("float64").matmul(wide).toArray(1);
  return length === 0 ? along.map(() => 0) : along.map((value) => value / length);
}
