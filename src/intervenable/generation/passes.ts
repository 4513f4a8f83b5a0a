import type {
  AlikePass,
  KindOutput,
  Passes,
  PassKind,
  TracedOutput,
  TraceStep,
} from "../../models/generation/options.ts";
import type { CausalLMOutput } from "../../models/parts/outputs.ts";
import { Dropout } from "../../nn/layers/dropout.ts";
import { isSame } from "../../base/same-value.ts";
import { internal } from "../../base/errors.ts";
import { Featurizer } from "../../interventions/featurizers/featurizer.ts";
import { isLibraryFeaturizer } from "../../interventions/featurizers/registry.ts";
import type { Intervention } from "../../interventions/intervention.ts";
import { isLibraryIntervention } from "../../interventions/registry.ts";
import { sameShape } from "../../tensor/shape.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { Action } from "../call/plan.ts";
import { emptyHarvest, type Harvest, traceEdits } from "../call/trace.ts";
import type { Selection } from "../units/selection.ts";
import type { Schedule } from "./schedule.ts";

/** What the passes of one generation do. */
export interface PassesRequest {
  /** The edits of each pass. */
  readonly schedule: Schedule;
  /** Takes what was collected, by the names of interventions. */
  readonly take: (name: string, tensor: Tensor) => void;
  /** Computes what source runs give; after that nothing refuses an edit. */
  readonly compute: () => Promise<void>;
  /** Whether the model draws numbers, or counts, as it may in training mode. */
  readonly training: boolean;
}

/** Edits differ from step to step more often than this where each step has its own. */
const MOST_KINDS = 8;

/** The passes of a generation with the edits of a schedule. */
export function editedPasses({ schedule, take, compute, training }: PassesRequest): Passes {
  const kinds: EditKind[] = [];
  const kindOf = (edits: readonly Action[]): EditKind | undefined => {
    const known = kinds.find((kind) => kind.makes(edits));
    if (known !== undefined) return known;
    if (kinds.length === MOST_KINDS || !edits.every(isRepeatable)) return undefined;
    const kind = new EditKind(edits);
    kinds.push(kind);
    return kind;
  };
  const trace = (step: TraceStep, run: () => CausalLMOutput<unknown>): TracedOutput => {
    const { output, harvest } = tracePass(schedule.at(step), run, nameOf(step));
    for (const [name, tensor] of harvest.collected) take(name, tensor);
    return { ...output, also: [...harvest.collected.values()] };
  };
  const alike = (step: TraceStep): AlikePass | undefined => {
    const edits = schedule.at(step);
    const kind = kindOf(edits);
    if (kind === undefined) return undefined;
    const names = edits.flatMap(({ name, intervention }) => (intervention.collects ? [name] : []));
    return {
      kind,
      given: edits.flatMap(givenOf),
      take: (also) => also.forEach((t, i) => take(names[i] ?? internal("nobody collects"), t)),
    };
  };
  return {
    trace,
    alike,
    async begin(rehearse) {
      for (const index of training ? [] : schedule.samples()) {
        rehearse(index, (step, run) => {
          // What is not the library's own may count how often it is called.
          return tracePass(schedule.at(step).filter(isRepeatable), run, nameOf(step)).output;
        });
      }
      await compute();
    },
  };
}

const nameOf = ({ index }: TraceStep): string => (index === 0 ? "prompt's" : "decoding");

/** A pass with its edits, and what they took of it. */
export function tracePass<T>(
  edits: readonly Action[],
  run: () => T,
  name: string,
): { readonly output: T; readonly harvest: Harvest } {
  const harvest = emptyHarvest();
  return { output: traceEdits({ name, edits, reads: [] }, new Map(), harvest, run), harvest };
}

/** Passes with the same edits of other tensors. */
class EditKind implements PassKind {
  readonly held: readonly Tensor[];
  readonly #edits: readonly Action[];
  /** What is read of interventions when they are traced, besides tensors. */
  readonly #facts: readonly unknown[];

  constructor(edits: readonly Action[]) {
    this.#edits = edits;
    this.#facts = edits.flatMap(factsOf);
    this.held = [...new Set(edits.flatMap(({ intervention }) => stateOf(intervention)))];
  }

  /** Whether edits are those of this kind. */
  makes(edits: readonly Action[]): boolean {
    return (
      edits.length === this.#edits.length &&
      edits.every((edit, i) => isAlike(edit, this.#edits[i] ?? edit)) &&
      edits.flatMap(factsOf).every((fact, i) => fact === this.#facts[i])
    );
  }

  trace(given: readonly Tensor[], run: () => CausalLMOutput<unknown>): KindOutput {
    const { output, harvest } = tracePass(withGiven(this.#edits, given), run, "decoding");
    const met = [...harvest.seen.values()].flatMap(({ site, units }) => [site, units]);
    return { ...output, met, also: [...harvest.collected.values()] };
  }
}

/** Whether an edit is a function of what it is given and holds, of which one trace says everything. */
function isRepeatable({ intervention, source }: Action): boolean {
  if (source.kind === "run" || !isLibraryIntervention(intervention.constructor)) return false;
  for (const [, module] of intervention.namedModules()) {
    if (module instanceof Featurizer && !isLibraryFeaturizer(module.constructor)) return false;
    if (module instanceof Dropout && module.training && module.p > 0) return false;
  }
  return true;
}

function factsOf({ intervention }: Action): unknown[] {
  return [intervention, intervention.interchange_dim, intervention.training];
}

/** Whether two edits do the same to the same units, of tensors that may differ. */
function isAlike(a: Action, b: Action): boolean {
  return (
    a.site === b.site &&
    a.hard === b.hard &&
    (a.strength === 1) === (b.strength === 1) &&
    isAlikeSource(a, b) &&
    isSameSelection(a.edits, b.edits) &&
    isSame(a.rows, b.rows) &&
    isSame(a.subspaces, b.subspaces) &&
    isSame(a.extra, b.extra)
  );
}

function isAlikeSource({ source: a }: Action, { source: b }: Action): boolean {
  if (a.kind !== "given" || b.kind !== "given") return a.kind === b.kind;
  return a.value.dtype === b.value.dtype && sameShape(a.value.shape, b.value.shape);
}

function isSameSelection(a: Selection | undefined, b: Selection | undefined): boolean {
  if (a === b || a === undefined || b === undefined) return a === b;
  return isSame(a.axes, b.axes) && isSame(a.levels, b.levels);
}

/** The tensors that an edit is given anew in each step. */
function givenOf({ source, strength }: Action): Tensor[] {
  const value = source.kind === "given" ? [source.value] : [];
  return strength === 1 ? value : [...value, strengthTensor(strength)];
}

function strengthTensor(strength: number | Tensor): Tensor {
  if (strength instanceof Tensor) return strength;
  return Tensor.fromData(Float32Array.of(strength), [1]);
}

/** The edits with other tensors, in the order of {@link givenOf}. */
function withGiven(edits: readonly Action[], given: readonly Tensor[]): Action[] {
  let next = 0;
  const take = (): Tensor => given[next++] ?? internal("too few tensors are given");
  return edits.map(({ source, strength, ...rest }) => ({
    ...rest,
    source: source.kind === "given" ? { kind: "given", value: take() } : source,
    strength: strength === 1 ? 1 : take(),
  }));
}

/** What an intervention holds and has computed. */
function stateOf(intervention: Intervention): Tensor[] {
  const holders = [...intervention.namedParameters(), ...intervention.namedBuffers()];
  return holders.flatMap(([, { stored }]) => (stored.values === undefined ? [] : [stored]));
}
