import { AutoencoderIntervention } from "../../interventions/autoencoder.ts";
import { BoundlessRotatedSpaceIntervention } from "../../interventions/boundless-rotated-space.ts";
import { SigmoidMaskIntervention } from "../../interventions/sigmoid-mask.ts";
import { SigmoidMaskRotatedSpaceIntervention } from "../../interventions/sigmoid-mask-rotated-space.ts";
import {
  type AnyInterventionClass,
  Intervention,
  type InterventionOptions,
} from "../../interventions/intervention.ts";
import { JumpReLUAutoencoderIntervention } from "../../interventions/jump-relu-autoencoder.ts";
import { LowRankRotatedSpaceIntervention } from "../../interventions/low-rank-rotated-space.ts";
import { NoiseIntervention } from "../../interventions/noise.ts";
import { LoreftIntervention } from "../../interventions/reft/rotated-reft.ts";
import { orthogonalState } from "../../nn/parametrizations/orthogonal.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { PCARotatedSpaceIntervention } from "../../interventions/pca-rotated-space.ts";

/** Dimensions that are changed: the first so many, those of a list, or undefined for all. */
export type Dims = number | readonly number[] | undefined;

/** What a row of pyvene's says of options. */
export interface RowOptions {
  readonly lowRankDimension?: number;
  readonly latentDim?: number;
}

/** Tensors of a file by name. */
type State = ReadonlyMap<string, Tensor>;

/** How a class of pyvene reads what its files say, where others read it differently. */
interface Dialect {
  /** Dimensions of ours, as pyvene's class reads them. */
  readonly dimsToPyvene?: (dims: Dims) => Dims;
  readonly dimsFromPyvene?: (dims: Dims) => Dims;
  /** Options in the columns of a row. */
  readonly toRow?: (options: RowOptions) => RowOptions;
  readonly fromRow?: (row: RowOptions) => RowOptions;
  /** What its files hold, of what it has here by name, and back. */
  readonly stateToPyvene?: (intervention: Intervention) => Map<string, Tensor>;
  readonly stateFromPyvene?: (state: State) => Promise<State>;
  /** Whether a partition of its dimensions has no meaning for it. */
  readonly hasNoPartition?: boolean;
  /** Options that are in the files, and that pyvene's class goes by otherwise, without a word. */
  readonly misread?: (options: InterventionOptions) => readonly string[];
  /** What pyvene's files leave out, without which the class cannot be made again. */
  readonly leftOut?: string;
}

/** An autoencoder of pyvene's takes a number for the number of one latent. */
function listed(dims: Dims): Dims {
  return typeof dims === "number" ? Array.from({ length: dims }, (_, i) => i) : dims;
}

/** Whether pyvene's files need a number twice to say a part, because two numbers are a range there. */
export function isTwoApart(part: unknown): part is readonly [number, number] {
  if (!Array.isArray(part) || part.length !== 2) return false;
  const [first, second] = part as readonly number[];
  return second !== Number(first) + 1;
}

const ROTATE = "rotate_layer.parametrizations.weight";

/** pyreft's LoReFT keeps the directions themselves, and not what they are computed from. */
async function loreftFromPyreft(state: State): Promise<State> {
  const directions = state.get("rotate_layer");
  if (directions === undefined || directions.ndim !== 2) return state;
  const { original, base } = await orthogonalState(directions.to("float32"));
  const others = [...state].filter(([name]) => name !== "rotate_layer");
  const renamed = others.map(([name, tensor]): [string, Tensor] => [
    name === "weight" || name === "bias" ? `learned_source.${name}` : name,
    tensor,
  ]);
  return new Map([...renamed, [`${ROTATE}.original`, original], [`${ROTATE}.0.base`, base]]);
}

function loreftToPyreft(intervention: Intervention): Map<string, Tensor> {
  const { learned_source, rotate_layer } = intervention as LoreftIntervention;
  return new Map([
    ...Object.entries(learned_source.stateDict()),
    ["rotate_layer", rotate_layer.weight.detach()] as const,
  ]);
}

const DIALECTS: ReadonlyMap<AnyInterventionClass, Dialect> = new Map<AnyInterventionClass, Dialect>(
  [
    [
      AutoencoderIntervention,
      {
        dimsToPyvene: listed,
        dimsFromPyvene: (dims) => (typeof dims === "number" ? [dims] : dims),
        toRow: ({ latentDim }) => (latentDim === undefined ? {} : { latentDim }),
        fromRow: ({ latentDim }) => (latentDim === undefined ? {} : { latentDim }),
      },
    ],
    [
      JumpReLUAutoencoderIntervention,
      {
        toRow: ({ latentDim }) => (latentDim === undefined ? {} : { lowRankDimension: latentDim }),
        fromRow: ({ lowRankDimension: width }) => (width === undefined ? {} : { latentDim: width }),
      },
    ],
    [
      LowRankRotatedSpaceIntervention,
      {
        toRow: ({ lowRankDimension: rank }) =>
          rank === undefined ? {} : { lowRankDimension: rank },
        fromRow: ({ lowRankDimension: rank }) =>
          rank === undefined ? {} : { lowRankDimension: rank },
        // It reads the directions of a part by their numbers: one that is there twice counts twice.
        misread: ({ interchangeDim, subspacePartition }) => [
          ...(interchangeDim === undefined ? [] : ["interchangeDim"]),
          ...(subspacePartition?.some(isTwoApart) === true
            ? ["parts of two directions in subspacePartition"]
            : []),
        ],
      },
    ],
    [LoreftIntervention, { stateToPyvene: loreftToPyreft, stateFromPyvene: loreftFromPyreft }],
    [BoundlessRotatedSpaceIntervention, { hasNoPartition: true }],
    [SigmoidMaskIntervention, { hasNoPartition: true }],
    [SigmoidMaskRotatedSpaceIntervention, { hasNoPartition: true }],
    [PCARotatedSpaceIntervention, { leftOut: "the components, mean and std" }],
    [NoiseIntervention, { leftOut: "the noise, which has other numbers there" }],
  ],
);

/** How pyvene's class reads its files; your own class, as its option names say. */
export function dialectOf(
  kind: AnyInterventionClass,
): Required<
  Omit<Dialect, "leftOut" | "hasNoPartition" | "misread" | "stateToPyvene" | "stateFromPyvene">
> &
  Dialect {
  const same = (dims: Dims): Dims => dims;
  const named = (options: RowOptions): RowOptions =>
    Object.fromEntries(
      Object.entries(options).filter(
        ([name, value]) => Object.hasOwn(kind.optionNames, name) && value !== undefined,
      ),
    );
  const own = DIALECTS.get(kind);
  return { dimsToPyvene: same, dimsFromPyvene: same, toRow: named, fromRow: named, ...own };
}

/** Whether pyvene takes an intervention as one that has its source in itself. */
export function isConstant({ sourceUse, sourceRepresentation, trainable }: Intervention): boolean {
  return sourceUse === "none" || (sourceRepresentation !== undefined && !trainable);
}

/** Whether pyvene keeps parameters of an intervention in a file. */
export function hasFile({ sourceRepresentation, trainable }: Intervention): boolean {
  return trainable || sourceRepresentation !== undefined;
}

/** Options that pyvene's files say, or that the model does. */
const SAID: ReadonlySet<string> = new Set([
  "embedDim",
  "unitDim",
  "interchangeDim",
  "subspacePartition",
  "sourceRepresentation",
  "lowRankDimension",
  "latentDim",
]);

/** Options that pyvene would take to be others than they are; what it cannot load, it says itself. */
export function unsaidOptions(intervention: Intervention): string[] {
  const kind = intervention.constructor as AnyInterventionClass;
  const { leftOut, misread } = dialectOf(kind);
  if (leftOut !== undefined) return [];
  const options = Intervention.optionsOf(intervention);
  const unsaid = Object.entries(options)
    .filter(([name, value]) => value !== undefined && value !== false && !SAID.has(name))
    .map(([name]) => name);
  return [...unsaid, ...(misread?.(options) ?? [])];
}
