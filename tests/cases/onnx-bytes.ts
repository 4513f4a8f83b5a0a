import { PbfWriter } from "pbf";

type Write = (writer: PbfWriter) => void;

function message(writer: PbfWriter, field: number, write: Write): void {
  writer.writeMessage(field, (_, inner: PbfWriter) => write(inner), undefined);
}

function node(op: string, inputs: readonly string[], outputs: readonly string[], more?: Write): Write {
  return (n) => {
    for (const name of inputs) n.writeStringField(1, name);
    for (const name of outputs) n.writeStringField(2, name);
    n.writeStringField(3, `/layer/${op}`);
    n.writeStringField(4, op);
    more?.(n);
  };
}

function value(name: string): Write {
  return (v) => {
    v.writeStringField(1, name);
    message(v, 2, (type) =>
      message(type, 1, (tensor) => {
        tensor.writeVarintField(1, 1);
        message(tensor, 2, (shape) => {
          message(shape, 1, (dim) => dim.writeStringField(2, "batch"));
          message(shape, 1, (dim) => dim.writeVarintField(1, 3));
        });
      }),
    );
  };
}

function floats(name: string): Write {
  return (t) => {
    t.writePackedVarint(1, [3]);
    t.writeVarintField(2, 1);
    t.writePackedFloat(4, [1, 2, 3]);
    t.writeStringField(8, name);
  };
}

const branch = (output: string): Write => (a) => {
  a.writeStringField(1, output);
  message(a, 6, (g) => {
    message(g, 1, node("Relu", ["h"], [output]));
    g.writeStringField(2, output);
    message(g, 12, value(output));
  });
  a.writeVarintField(20, 5);
}; // prettier-ignore

/** An ONNX file with something of each kind: tensors of all forms, branches, functions, external data. */
export function onnxBytes(): Uint8Array {
  const w = new PbfWriter();
  w.writeVarintField(1, 8);
  w.writeStringField(2, "tests");
  message(w, 7, (g) => {
    message(g, 1, node("Add", ["x", "w"], ["a"]));
    message(g, 1, node("Mine", ["a"], ["h"], (n) => n.writeStringField(7, "own")));
    message(g, 1, node("If", ["flag"], ["y"], (n) => {
      message(n, 5, branch("then_branch"));
      message(n, 5, branch("else_branch"));
    }));
    message(g, 5, floats("w"));
    message(g, 5, (t) => {
      t.writePackedVarint(1, [2]);
      t.writeVarintField(2, 7);
      t.writePackedVarint(7, [-1, 300]);
      t.writeStringField(8, "axes");
    });
    message(g, 5, (t) => {
      t.writeVarintField(2, 9);
      t.writeStringField(8, "flag");
      t.writeBytesField(9, Uint8Array.of(1));
    });
    message(g, 5, (t) => {
      t.writePackedVarint(1, [4]);
      t.writeVarintField(2, 1);
      t.writeStringField(8, "far");
      for (const [key, text] of [["location", "w.bin"], ["offset", "0"], ["length", "16"]] as const) {
        message(t, 13, (e) => {
          e.writeStringField(1, key);
          e.writeStringField(2, text);
        });
      }
      t.writeVarintField(14, 1);
    });
    message(g, 11, value("x"));
    message(g, 12, value("y"));
  });
  for (const domain of ["", "own"]) {
    message(w, 8, (o) => {
      o.writeStringField(1, domain);
      o.writeVarintField(2, 17);
    });
  }
  message(w, 25, (f) => {
    f.writeStringField(1, "Mine");
    f.writeStringField(4, "in");
    f.writeStringField(5, "out");
    message(f, 7, node("Softmax", ["in"], ["out"], (n) =>
      message(n, 5, (a) => {
        a.writeStringField(1, "axis");
        a.writeVarintField(3, -1);
        a.writeVarintField(20, 2);
      }),
    ));
    f.writeStringField(10, "own");
  });
  return w.finish();
} // prettier-ignore
