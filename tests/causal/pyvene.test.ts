import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CausalModel } from "tsvene";

type Setting = Readonly<Record<string, number>>;
type Table<T> = Readonly<Record<string, T>>;

/** What `goldens/make/make_causal.py` records of one graph. */
interface Golden {
  readonly values: Table<number[]>;
  readonly parents: Table<string[]>;
  /** For each variable, its value for each setting of its parents, the last parent's fastest. */
  readonly tables: Table<number[]>;
  readonly variables: string[];
  readonly inputs: string[];
  readonly outputs: string[];
  readonly inside: string[];
  readonly children: Table<string[]>;
  readonly timesteps: Setting;
  readonly classes: Table<[number, Setting[]][]>;
  readonly runs: { readonly setting: Setting; readonly total: Setting }[];
  readonly paths: { readonly setting: Setting; readonly paths: [number, string[][]][] }[];
  readonly data: {
    readonly input_ids: Setting;
    readonly sources: Table<Setting>;
    readonly labels: Setting;
    readonly base_labels: Setting;
    readonly source_input_ids: number[][];
    readonly input_tensor: number[];
    readonly label_tensor: number[];
    readonly base_label_tensor: number[];
    readonly intervention_id: [number];
  }[];
}

const file = new URL("../goldens/causal.json", import.meta.url);
const goldens = JSON.parse(readFileSync(file, "utf8")) as Golden[];

function modelOf({ values, parents, tables }: Golden): CausalModel<Setting> {
  const functions = Object.fromEntries(
    Object.entries(parents).map(([name, list]) => {
      const compute = (...given: number[]): number => {
        const place = list.reduce(
          (at, parent, i) => at * (values[parent]?.length ?? 0) + (given[i] ?? 0),
          0,
        );
        return tables[name]?.[place] ?? -1;
      };
      return [name, compute];
    }),
  );
  return new CausalModel<Setting>({ values, parents, functions });
}

describe.each(goldens.map((golden, i) => [i, golden] as const))("graph %i", (_, golden) => {
  const model = modelOf(golden);

  test("has pyvene's order, timesteps and classes", () => {
    expect(model.variables).toEqual(golden.variables);
    expect(model.inputs).toEqual(golden.inputs);
    expect(model.outputs).toEqual(golden.outputs);
    expect(model.intermediates.toSorted()).toEqual(golden.inside.toSorted());
    expect(model.children).toEqual(golden.children);
    expect(model.timesteps).toEqual(golden.timesteps);
    for (const [name, classes] of Object.entries(golden.classes)) {
      for (const [value, settings] of classes) {
        expect(model.equivalenceClass(name, value)).toEqual(settings);
      }
    }
  });

  test("runs as pyvene's, with and without interventions", () => {
    for (const { setting, total } of golden.runs) expect(model.run(setting)).toEqual(total);
  });

  test("has pyvene's live paths", () => {
    for (const { setting, paths } of golden.paths) {
      expect([...model.livePaths(setting)]).toEqual(paths);
    }
  });

  test.runIf(golden.data.length > 0)("gives pyvene's labels and tensors", async () => {
    for (const example of golden.data) {
      const { input_ids: base, sources, labels, base_labels: baseLabels } = example;
      expect(model.interchange(base, sources)).toEqual(labels);
      expect(model.run(base)).toEqual(baseLabels);
    }
    const examples = golden.data.map((example) => ({
      base: example.input_ids,
      sources: example.sources,
      label: example.labels,
      baseLabel: example.base_labels,
      sourceLabels: {},
    }));
    const number = (names: string[]) =>
      names.reduce((sum, name) => sum + 2 ** golden.inside.indexOf(name), 0);
    const tensors = model.pyveneTensors(examples, number);
    const wanted = <K extends keyof Golden["data"][number]>(key: K) =>
      golden.data.map((example) => example[key]);
    expect(await tensors.inputIds.toArray(2)).toEqual(wanted("input_tensor"));
    expect(await tensors.sourceInputIds.toArray(3)).toEqual(wanted("source_input_ids"));
    expect(await tensors.labels.toArray(2)).toEqual(wanted("label_tensor"));
    expect(await tensors.baseLabels.toArray(2)).toEqual(wanted("base_label_tensor"));
    expect(await tensors.interventionIds.toArray(2)).toEqual(wanted("intervention_id"));
  });
});
