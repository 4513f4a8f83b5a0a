import { PbfWriter } from "pbf";
import { describe, expect, test } from "vitest";
import { MemoryFiles } from "../../files/memory-files.ts";
import { onnxDTypeCode, type OnnxElementType } from "../../runtime/onnx/element-types.ts";
import { encodeModel } from "../../runtime/onnx/encode.ts";
import type { OnnxGraph, OnnxNode } from "../../runtime/onnx/model.ts";
import { OnnxFile } from "./onnx-file.ts";

const node = (op: string, inputs: string[], outputs: string[], name = ""): OnnxNode => ({
  op,
  inputs,
  outputs,
  ...(name === "" ? {} : { name }),
});

function graphOf(nodes: readonly OnnxNode[], more: Partial<OnnxGraph> = {}): OnnxGraph {
  return {
    name: "g",
    inputs: [{ name: "x", dtype: "float32", dims: ["batch", 3] }],
    outputs: [{ name: "y", dtype: "float32", dims: ["batch", 3] }],
    nodes,
    ...more,
  };
}

const openGraph = (nodes: readonly OnnxNode[], more?: Partial<OnnxGraph>): Promise<OnnxFile> =>
  OnnxFile.open(encodeModel(graphOf(nodes, more)));

/** A model of one tensor, whose fields are written by hand. */
function withTensor(write: (w: PbfWriter) => void): Uint8Array {
  const w = new PbfWriter();
  w.writeVarintField(1, 8);
  w.writeMessage(
    7,
    (_, g: PbfWriter) => {
      g.writeStringField(2, "g");
      g.writeMessage(5, (__, t: PbfWriter) => write(t), undefined);
    },
    undefined,
  );
  return w.finish();
}

async function bytesOfTensor(write: (w: PbfWriter) => void): Promise<Uint8Array> {
  const file = await OnnxFile.open(withTensor(write));
  const [tensor] = file.model.graph.initializers;
  if (tensor === undefined) throw new Error("no tensor");
  return file.read(tensor);
}

describe("OnnxFile", () => {
  test("reads what the encoder writes, names as they are", async () => {
    const file = await openGraph([
      { ...node("Softmax", ["/a.b/x y"], ["y"], "/m/h.3"), attributes: { axis: { int: -1 } } },
      node("Relu", ["x"], ["/a.b/x y"]),
    ]);
    const { graph, opsets, producer } = file.model;
    expect(producer).toBe("tsvene");
    expect(opsets).toEqual(new Map([["", 23], ["com.microsoft", 1]])); // prettier-ignore
    expect(graph.nodes.map(({ op }) => op)).toEqual(["Relu", "Softmax"]);
    expect(graph.nodes[1]).toMatchObject({
      name: "/m/h.3",
      inputs: ["/a.b/x y"],
      attributes: new Map([["axis", { int: -1 }]]),
    });
    expect(graph.inputs).toEqual([
      { name: "x", dtype: "float32", dims: ["batch", 3], isOther: false },
    ]);
  });

  const numbers: readonly [OnnxElementType, number, number[], number[]][] = [
    ["int8", 5, [-1, 7], [255, 7]],
    ["bool", 5, [1, 0], [1, 0]],
    ["float16", 5, [0x3c00, 0], [0, 0x3c, 0, 0]],
    ["int64", 7, [-2, 300], [254, ...Array<number>(7).fill(255), 44, 1, 0, 0, 0, 0, 0, 0]],
    ["uint32", 11, [1, 2], [1, 0, 0, 0, 2, 0, 0, 0]],
  ];
  test.each(numbers)("numbers of %s may stand in fields of their own", async (dtype, field, values, bytes) => {
    const write = (packed: boolean) => (w: PbfWriter): void => {
      w.writeStringField(8, "t");
      w.writePackedVarint(1, [2]);
      w.writeVarintField(2, onnxDTypeCode(dtype));
      if (packed) w.writePackedVarint(field, values);
      else for (const value of values) w.writeVarintField(field, value);
    };
    expect([...(await bytesOfTensor(write(true)))]).toEqual(bytes);
    expect([...(await bytesOfTensor(write(false)))]).toEqual(bytes);
  }); // prettier-ignore

  test("weights in other files are read from the folder, and from nowhere else", async () => {
    const outside = (location: string): Uint8Array =>
      encodeModel(
        graphOf([node("Add", ["x", "w"], ["y"])], {
          initializers: [
            { name: "w", dtype: "uint8", dims: [3], external: { location, offset: 2, length: 3 } },
          ],
        }),
      );
    const files = new MemoryFiles({
      "a/w.bin": Uint8Array.of(0, 1, 2, 3, 4, 5),
      short: Uint8Array.of(1),
    });
    const readFrom = async (location: string, where?: MemoryFiles): Promise<number[]> => {
      const file = await OnnxFile.open(
        outside(location),
        where === undefined ? {} : { files: where },
      );
      const [w] = file.model.graph.initializers;
      if (w === undefined) throw new Error("no tensor");
      return [...(await file.read(w))];
    };
    expect(await readFrom("a/w.bin", files)).toEqual([2, 3, 4]);
    expect(await readFrom("./a/w.bin", files)).toEqual([2, 3, 4]);
    await expect(readFrom("a/w.bin")).rejects.toThrow(
      /"w" lies in another file, "a\/w.bin"; say where/,
    );
    await expect(readFrom("gone", files)).rejects.toThrow(/"w" lies in another file: .*gone/);
    await expect(readFrom("short", files)).rejects.toThrow(/bytes 2 to 5 of "short", which has 1/);
    for (const path of ["../w", "/etc/passwd", "a/../../w", "C:\\w"]) {
      await expect(readFrom(path, files)).rejects.toThrow(/could lie outside/);
    }
  });

  test("functions of a file are written out where they are called", async () => {
    const call = (name: string, input: string, output: string) => (w: PbfWriter): void => {
      w.writeStringField(1, input);
      w.writeStringField(2, output);
      w.writeStringField(3, name);
      w.writeStringField(4, "Twice");
      w.writeStringField(7, "mine");
    };
    const w = new PbfWriter(encodeModel(graphOf([])).slice(0, 0));
    const message = (to: PbfWriter, field: number, write: (w: PbfWriter) => void): void =>
      to.writeMessage(field, (_, inner) => write(inner), undefined);
    w.writeVarintField(1, 8);
    message(w, 7, (g) => {
      message(g, 1, call("one", "x", "a"));
      message(g, 1, call("two", "a", "y"));
      message(g, 11, (v) => v.writeStringField(1, "x"));
      message(g, 12, (v) => v.writeStringField(1, "y"));
    });
    message(w, 8, (o) => o.writeVarintField(2, 17));
    message(w, 25, (f) => {
      f.writeStringField(1, "Twice");
      f.writeStringField(4, "in");
      f.writeStringField(5, "out");
      f.writeStringField(10, "mine");
      for (const [input, output] of [["in", "half"], ["half", "out"]] as const) {
        message(f, 7, (n) => {
          n.writeStringField(1, input);
          n.writeStringField(2, output);
          n.writeStringField(4, "Neg");
        });
      }
    });
    const { nodes } = (await OnnxFile.open(w.finish())).model.graph;
    expect(nodes.map(({ op, inputs, outputs }) => [op, ...inputs, ...outputs])).toEqual([
      ["Neg", "x", "one/half"],
      ["Neg", "one/half", "a"],
      ["Neg", "a", "two/half"],
      ["Neg", "two/half", "y"],
    ]);
  }); // prettier-ignore
});

describe("OnnxFile refuses", () => {
  const refused: readonly [string, readonly OnnxNode[], RegExp, Partial<OnnxGraph>?][] = [
    ["two nodes that make one value", [node("Relu", ["x"], ["y"], "first"), node("Neg", ["x"], ["y"], "second")], /two things have the name "y": what the node Neg "second" makes, and the node Relu "first"/],
    ["a node that makes an input", [node("Relu", ["x"], ["x"], "r")], /"x": what the node Relu "r" makes, and an input/],
    ["a cycle", [node("Add", ["x", "b"], ["a"], "one"), node("Add", ["x", "a"], ["b"], "two"), node("Neg", ["a"], ["y"])], /the node Add "one" needs what it makes itself: a cycle/],
    ["a node that reads itself", [node("Add", ["x", "y"], ["y"], "me")], /Add "me" needs what it makes itself/],
    ["a value that nothing makes", [node("Add", ["x", "hidden"], ["y"], "sum"), node("Neg", ["x"], ["hidde"])], /Add "sum" reads "hidden", which nothing makes; the nearest name is "hidde"/],
    ["an output that nothing makes", [node("Neg", ["x"], ["z"])], /nothing makes "y", an output of the graph "g"; the nearest name/],
    ["a tensor with fewer bytes than its shape asks for", [node("Neg", ["x"], ["y"])], /tensor "w" has 4 bytes where its shape asks for 24/, { initializers: [{ name: "w", dtype: "float32", dims: [2, 3], data: new Uint8Array(4) }] }],
  ]; // prettier-ignore
  test.each(refused)("%s", async (_, nodes, message, more) => {
    await expect(openGraph(nodes, more)).rejects.toThrow(message);
  });

  test("old versions, cut files and other files", async () => {
    const old = encodeModel(graphOf([node("Neg", ["x"], ["y"])]), { opset: 6 });
    await expect(OnnxFile.open(old)).rejects.toThrow(/version 6 of ONNX's operators, and those from 7/);
    const whole = encodeModel(graphOf([node("Neg", ["x"], ["y"])]));
    await expect(OnnxFile.open(whole.subarray(0, 40))).rejects.toThrow(/no ONNX file, or a damaged one/);
    await expect(OnnxFile.open(new TextEncoder().encode("<html><body>no</body></html>"))).rejects.toThrow(/no ONNX file/);
    await expect(OnnxFile.open(new Uint8Array())).rejects.toThrow(/it has no graph/);
  }); // prettier-ignore
});
