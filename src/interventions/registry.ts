import { fail } from "./errors.ts";
import { didYouMean } from "../base/nearest.ts";
import { AdditionIntervention } from "./addition.ts";
import { AutoencoderIntervention } from "./autoencoder.ts";
import { BoundlessRotatedSpaceIntervention } from "./boundless-rotated-space.ts";
import { CollectIntervention } from "./collect.ts";
import { FeatureEditIntervention } from "./feature-edit.ts";
import { FeaturizedIntervention } from "./featurized.ts";
import { type AnyInterventionClass, Intervention } from "./intervention.ts";
import { JumpReLUAutoencoderIntervention } from "./jump-relu-autoencoder.ts";
import { LowRankRotatedSpaceIntervention } from "./low-rank-rotated-space.ts";
import { MaskedFeaturesIntervention } from "./masked-features.ts";
import { nameIntervention } from "./names.ts";
import { NoiseIntervention } from "./noise.ts";
import { PCARotatedSpaceIntervention } from "./pca-rotated-space.ts";
import { NodireftIntervention, NoreftIntervention } from "./reft/free-reft.ts";
import {
  ConsreftIntervention,
  DireftIntervention,
  LobireftIntervention,
  LoreftIntervention,
} from "./reft/rotated-reft.ts";
import { RotatedSpaceIntervention } from "./rotated-space.ts";
import { SigmoidMaskIntervention } from "./sigmoid-mask.ts";
import { SigmoidMaskRotatedSpaceIntervention } from "./sigmoid-mask-rotated-space.ts";
import { SkipIntervention } from "./skip.ts";
import { SubtractionIntervention } from "./subtraction.ts";
import { VanillaIntervention } from "./vanilla.ts";
import { ZeroIntervention } from "./zero.ts";

/** Those that pyreft has under the same name. */
const PYREFT: Readonly<Record<string, AnyInterventionClass>> = {
  ConsreftIntervention,
  DireftIntervention,
  LobireftIntervention,
  LoreftIntervention,
  NodireftIntervention,
  NoreftIntervention,
};

/** Those that no Python library has. */
const OWN: Readonly<Record<string, AnyInterventionClass>> = {
  FeatureEditIntervention,
  FeaturizedIntervention,
  MaskedFeaturesIntervention,
};

/** Those that pyvene has under the same name. */
const PYVENE: Readonly<Record<string, AnyInterventionClass>> = {
  AdditionIntervention,
  AutoencoderIntervention,
  BoundlessRotatedSpaceIntervention,
  CollectIntervention,
  JumpReLUAutoencoderIntervention,
  LowRankRotatedSpaceIntervention,
  NoiseIntervention,
  PCARotatedSpaceIntervention,
  RotatedSpaceIntervention,
  SigmoidMaskIntervention,
  SigmoidMaskRotatedSpaceIntervention,
  SkipIntervention,
  SubtractionIntervention,
  VanillaIntervention,
  ZeroIntervention,
};

/** The modules of Python that have classes of this library. */
const MODULES = new Map<string, Readonly<Record<string, AnyInterventionClass>>>([
  ["pyvene.models.interventions", PYVENE],
  ["pyreft.interventions", PYREFT],
  ["tsvene", OWN],
]);

/** The classes of this library that a configuration can name. */
const LIBRARY: Readonly<Record<string, AnyInterventionClass>> = { ...PYVENE, ...PYREFT, ...OWN };

const classes = new Map<string, AnyInterventionClass>(Object.entries(LIBRARY));
for (const [name, kind] of classes) nameIntervention(kind, name);

/**
 * Makes your own class known by name, so that a configuration that was read from JSON can name
 * it. The classes of this library are known.
 *
 * @param name - What it is called in JSON. @default the name of the class
 * @throws InterventionError for what is no class of interventions, and a name that another class has.
 *
 * @example
 * ```ts
 * import { IntervenableConfig, Intervention, registerIntervention, type Tensor } from "tsvene";
 * class Halve extends Intervention {
 *   override readonly sourceUse = "none";
 *   override forward(base: Tensor): Tensor {
 *     return base.mul(0.5);
 *   }
 * }
 * registerIntervention(Halve);
 * const text = JSON.stringify({ component: "mlp_output", intervention: Halve });
 * console.log(String(new IntervenableConfig(JSON.parse(text))));
 * ```
 */
export function registerIntervention(kind: AnyInterventionClass, name: string = kind.name): void {
  const isClass = typeof kind === "function" && (kind.prototype as unknown) instanceof Intervention;
  if (!isClass) fail(OP, "expected a class that extends Intervention");
  if (typeof name !== "string" || name === "") {
    fail(OP, 'the class has no name; give one: registerIntervention(Halve, "Halve")');
  }
  const other = classes.get(name);
  if (other !== undefined && other !== kind) {
    fail(OP, `another class is called ${name}; give a name: registerIntervention(${name}, "...")`);
  }
  classes.set(name, kind);
  nameIntervention(kind, name);
}

/** The class that was registered under a name, or undefined. */
export function registeredIntervention(name: string): AnyInterventionClass | undefined {
  return classes.get(name);
}

/** The module of Python that files name for a class of this library; undefined for others. */
export function pythonModuleOf(kind: AnyInterventionClass): string | undefined {
  return [...MODULES].find(([, members]) => Object.values(members).includes(kind))?.[0];
}

/** Whether a class is one of this library. */
export function isLibraryIntervention(kind: unknown): boolean {
  return Object.values<unknown>(LIBRARY).includes(kind);
}

/**
 * The class that was registered under a name.
 * @throws InterventionError with the nearest names, and how to register one, when there is none.
 */
export function interventionNamed(op: string, name: string): AnyInterventionClass {
  return (
    classes.get(name) ??
    fail(
      op,
      `there is no intervention ${JSON.stringify(name)}; ${didYouMean(name, classes.keys())} ` +
        `Your own class is known by name after you register it: registerIntervention(Halve)`,
    )
  );
}

const OP = "registerIntervention";
