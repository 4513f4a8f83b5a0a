import { internal } from "../base/errors.ts";
import { graphsOf, ownNames, readBy } from "../formats/onnx/graphs-of.ts";
import type { FileNode } from "../formats/onnx/onnx-content.ts";
import { apply } from "../tensor/ops/apply.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Facts } from "./facts.ts";
import { type Ground, translated } from "./trace.ts";
import { Host, lifted, type Value } from "./values.ts";

/**
 * One pass of a model. What needs no gradient stays as the file has it: whole parts of it, from what is
 * given to what is read, edited or given out, are operations that ONNX Runtime computes as it would the
 * file. What a gradient may flow through is translated node by node.
 */
export class Pass {
  readonly #facts: Facts;
  readonly #ground: Ground;
  /** Values that are there: what parts begin with. */
  readonly #given = new Map<string, Value>();
  readonly #parts = new Map<string, Tensor>();
  #set: string;

  /** @param start Says which weights are not the file's. */
  constructor(facts: Facts, ground: Ground, start: string) {
    this.#facts = facts;
    this.#ground = ground;
    this.#set = start;
  }

  /** Gives a value from outside, or an edited one. */
  give(name: string, value: Value): void {
    this.#given.set(name, value);
    this.#set = this.#facts.layout.setWith(this.#set, name);
  }

  /** Goes through all nodes: those that gradients flow through, and those whose values are watched. */
  run(watched: ReadonlySet<string>): void {
    const { nodes } = this.#facts.layout;
    const flows = new Set<string>();
    const note = (name: string, value: Value | undefined): void => {
      if (value instanceof Host || value?.requiresGrad !== true) return;
      flows.add(name);
    };
    for (const [name, value] of this.#given) note(name, value);
    for (const [name, weight] of this.#ground.weights) if (weight.requiresGrad) flows.add(name);
    if (flows.size === 0 && watched.size === 0) return;
    for (const node of nodes) {
      const isTranslated =
        readBy(node).some((name) => flows.has(name)) || isWatchedWithin(node, watched);
      const results = isTranslated ? this.#translate(node) : [];
      node.outputs.forEach((name, i) => {
        if (name === "") return;
        const result = results[i];
        const isSeen = watched.has(name);
        if (result === undefined && !isSeen) return;
        const value = result ?? this.value(name);
        this.give(name, isSeen ? this.#ground.pass(name, value) : value);
        note(name, this.#given.get(name));
      });
    }
  }

  /** A value, as a part of the file unless it is there. */
  value(name: string): Value {
    const given = this.#given.get(name);
    if (given !== undefined) return given;
    const fact = this.#facts.values.get(name);
    if (fact instanceof Host) return fact;
    if (fact === undefined) {
      return (
        this.#ground.weights.get(name)?.value ??
        this.#ground.valueOf(name) ??
        internal(`no value ${name}`)
      );
    }
    const { layout, work } = this.#facts;
    const { weights } = this.#ground;
    const slice = layout.slice(name, (other) => this.#given.has(other), this.#set, weights);
    const known = this.#parts.get(`${this.#set}|${name}`);
    if (known !== undefined) return known;
    const inputs = slice.inputs.map((input) => this.#input(input));
    const part = apply("foreign", inputs, slice.operation(fact, work));
    this.#parts.set(`${this.#set}|${name}`, part);
    return part;
  }

  #input(name: string): Tensor {
    return this.#given.has(name)
      ? lifted(this.value(name))
      : (this.#ground.weights.get(name)?.tensor ?? lifted(this.value(name)));
  }

  #translate(node: FileNode): readonly (Value | undefined)[] {
    return translated(this.#ground, node, (name) => this.value(name));
  }
}

/** Whether a value of a graph within a node is watched. */
function isWatchedWithin(node: FileNode, watched: ReadonlySet<string>): boolean {
  if (watched.size === 0) return false;
  return graphsOf(node).some(
    (graph) =>
      ownNames(graph).some((name) => watched.has(name)) ||
      graph.nodes.some((inner) => isWatchedWithin(inner, watched)),
  );
}
