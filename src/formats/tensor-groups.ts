/** What tensors need to be grouped. */
export interface NamedShape {
  readonly name: string;
  readonly shape: readonly number[];
  /** Element type, as it is to be written. */
  readonly type: string;
  readonly bytes: number;
}

/** Tensors that differ by numbers in their names alone, as those of a model's layers do. */
export interface TensorGroup {
  /** The name, with the numbers of all members in brackets: "h.[0-4].attn.c_attn.weight". */
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: string;
  /** How many tensors there are. */
  readonly count: number;
  /** Bytes of all together. */
  readonly bytes: number;
}

const NUMBER = /(?<=^|\.)\d+(?=\.|$)/g;

/**
 * Puts tensors together whose names differ by whole numbers between dots, where shapes and element
 * types are the same. A group stands where its first tensor stood.
 */
export function groupTensors(tensors: readonly NamedShape[]): readonly TensorGroup[] {
  const groups = new Map<string, NamedShape[]>();
  for (const tensor of tensors) {
    const { name, shape, type } = tensor;
    const key = JSON.stringify([name.replace(NUMBER, "*"), shape, type]);
    const members = groups.get(key);
    if (members === undefined) groups.set(key, [tensor]);
    else members.push(tensor);
  }
  return [...groups.values()].flatMap(groupOf);
}

function groupOf(members: readonly NamedShape[]): TensorGroup[] {
  const [first] = members;
  if (first === undefined) return [];
  const numbers = members.map(({ name }) => name.match(NUMBER) ?? []);
  let place = 0;
  const name = first.name.replace(NUMBER, (own) => {
    const at = place++;
    const all = [...new Set(numbers.map((found) => Number(found[at])))].sort((a, b) => a - b);
    return all.length === 1 ? own : `[${ranges(all)}]`;
  });
  const bytes = members.reduce((sum, member) => sum + member.bytes, 0);
  return [{ name, shape: first.shape, type: first.type, count: members.length, bytes }];
}

/** Ascending numbers in short: "0-4,7". */
function ranges(numbers: readonly number[]): string {
  const runs: [first: number, last: number][] = [];
  for (const number of numbers) {
    const open = runs.at(-1);
    if (open !== undefined && open[1] + 1 === number) open[1] = number;
    else runs.push([number, number]);
  }
  return runs.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(",");
}
