import { expect, test } from "vitest";
import { DataLoader, type DataLoaderOptions, type DataLoaderState } from "tsvene";

const data = (length: number) => ({
  length,
  batch: (indices: readonly number[]) => [...indices],
  variables: (index: number) => (index % 3 === 0 ? ["A", "B"] : ["A"]),
});

const loader = (length: number, options: DataLoaderOptions = {}) =>
  new DataLoader(data(length), options);

test("an epoch has each example once, in an order of its own that the seed decides", () => {
  const one = loader(23, { batchSize: 5, seed: 4 });
  const epochs = [[...one], [...one]];
  for (const epoch of epochs) {
    expect(epoch.map((batch) => batch.length)).toEqual([5, 5, 5, 5, 3]);
    expect(epoch.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 23 }, (_, i) => i));
  }
  expect(epochs[0]).not.toEqual(epochs[1]);
  const again = loader(23, { batchSize: 5, seed: 4 });
  expect([[...again], [...again]]).toEqual(epochs);
  expect([...loader(23, { batchSize: 5, seed: 5 })]).not.toEqual(epochs[0]);
});

test("without shuffling the order is the data's, and dropLast leaves out what is not full", () => {
  const options = { batchSize: 4, shuffle: false, dropLast: true };
  const inOrder = loader(10, options);
  expect(inOrder.length).toBe(2);
  expect([...inOrder]).toEqual([
    [0, 1, 2, 3],
    [4, 5, 6, 7],
  ]);
  expect([...inOrder.indices()]).toEqual([
    [0, 1, 2, 3],
    [4, 5, 6, 7],
  ]);
});

test.each([{}, { groupBy: "variables" }, { shuffle: false }] as const)(
  "goes on exactly from any batch on: %o",
  (more) => {
    const options = { batchSize: 4, seed: 2, ...more };
    const whole = loader(22, options);
    const all = [...whole, ...whole, ...whole];
    for (let stop = 0; stop < all.length - 1; stop++) {
      const [first, second] = [loader(22, options), loader(22, options)];
      const seen: number[][] = [];
      while (seen.length < stop) {
        for (const batch of first) {
          seen.push(batch);
          if (seen.length === stop) break;
        }
      }
      second.loadStateDict(JSON.parse(JSON.stringify(first.stateDict())) as DataLoaderState);
      while (seen.length < all.length) seen.push(...second);
      expect(seen).toEqual(all);
    }
  },
);

test("an iteration that was left early goes on where it was", () => {
  const one = loader(10, { batchSize: 4, seed: 3 });
  const whole = [...loader(10, { batchSize: 4, seed: 3 })];
  for (const batch of one) {
    expect(batch).toEqual(whole[0]);
    break;
  }
  expect([...one]).toEqual(whole.slice(1));
  expect(one.epoch).toBe(1);
});

test("a batch that cannot be made is made again by the next iteration", () => {
  let broken = true;
  const flaky = {
    length: 4,
    batch: (indices: readonly number[]) => {
      if (broken) throw new Error("not now");
      return indices;
    },
  };
  const one = new DataLoader(flaky, { batchSize: 2, shuffle: false });
  expect(() => [...one]).toThrow("not now");
  broken = false;
  expect([...one]).toEqual([
    [0, 1],
    [2, 3],
  ]);
});

test("groups share no batch: those of a function, or of what is intervened on", () => {
  for (const groupBy of ["variables", (i: number) => String(i % 3 === 0)] as const) {
    const grouped = loader(20, { batchSize: 4, groupBy, seed: 1 });
    const batches = [...grouped];
    expect(batches).toHaveLength(grouped.length);
    expect(batches.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    for (const batch of batches) {
      expect(new Set(batch.map((i) => i % 3 === 0)).size).toBe(1);
    }
    const kinds = batches.map(([i = 0]) => i % 3 === 0);
    expect(kinds.indexOf(false)).toBeLessThan(kinds.lastIndexOf(true)); // they take turns
  }
});

test("refuses states of other loaders, and stays where it was", () => {
  const one = loader(10, { batchSize: 4 });
  const [first] = one;
  const before = one.stateDict();
  expect(first).toHaveLength(4);
  for (const [other, message] of [
    [loader(11, { batchSize: 4 }), /a loader with length 11, but here it is 10/],
    [loader(10, { batchSize: 5 }), /batches 2, but here it is 3/],
    [loader(10, { batchSize: 4, seed: 1 }), /seed 1, but here it is 0/],
    [loader(10, { batchSize: 4, shuffle: false }), /shuffle false, but here it is true/],
  ] as const) {
    expect(() => one.loadStateDict(other.stateDict())).toThrow(message);
  }
  expect(() => one.loadStateDict({ ...before, batch: 3 })).toThrow(
    /expected what stateDict\(\) gave/,
  );
  expect(() => one.loadStateDict(null as never)).toThrow(/length undefined/);
  expect(one.stateDict()).toEqual(before);
});

test("refuses options that are wrong, and data that is none", () => {
  const refused = (options: object, message: RegExp): void => {
    expect(() => loader(3, options)).toThrow(message);
  };
  refused({ batchSize: 0 }, /batchSize must be a whole number from 1, got 0/);
  refused({ seed: -1 }, /seed must be a whole number, got -1/);
  refused({ batchsize: 2 }, /there is no option batchsize; did you mean batchSize/);
  refused({ batchSize: 4, dropLast: true }, /no batch of 4 is full/);
  expect(() => loader(0)).toThrow(/the data has no examples/);
  expect(() => new DataLoader([1, 2] as never)).toThrow(/expected data, \{ length, batch/);
  const plain = { length: 2, batch: (indices: readonly number[]) => indices };
  expect(() => new DataLoader(plain, { groupBy: "variables" })).toThrow(/data that says them/);
});
