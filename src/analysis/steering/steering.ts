import { sitesOf } from "../../intervenable/grid/grid-axes.ts";
import { shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { printsItself } from "../../base/inspect.ts";
import { type OptionNames, requireKnownOptions, requireOneOf } from "../../base/known-options.ts";
import type { About } from "../../intervenable/config/about.ts";
import { IntervenableConfig } from "../../intervenable/config/config.ts";
import type { RepresentationConfig } from "../../intervenable/config/representation-config.ts";
import type { AxisValue, GridSite, SiteGrid } from "../../intervenable/grid/site-grid.ts";
import { IntervenableModel } from "../../intervenable/intervenable-model.ts";
import type { Module } from "../../nn/module.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { NamedArray } from "../results/named-array.ts";
import type { NamedAxis } from "../results/named-axis.ts";
import { type AdditionOptions, additions, lengthOf, SCALES } from "./additions.ts";
import { ablations } from "./ablations.ts";
import type { SteeringMethod } from "./find-direction.ts";

/** A vector at a site. */
export interface SiteVector {
  /** Where its states were read: a value of each axis. */
  readonly site: GridSite;
  /** [width of the site] */
  readonly vector: Tensor;
  /** Standard deviation of the states along its direction. */
  readonly sd: number;
  /**
   * The share of texts that it tells, of each part of the texts a vector that was found in the other parts;
   * .5 is chance. NaN where there are too few texts for that.
   */
  readonly separability: number;
}

/** How vectors were found. */
export interface SteeringOrigin {
  /** What was computed of the states. */
  readonly method: SteeringMethod;
  /** Number of texts with what is looked for. */
  readonly positive: number;
  /** Number of texts without it. */
  readonly negative: number;
}

/** What {@link Steering} holds. */
export interface SteeringFields<M extends Module = Module> {
  /** The model that they were read in. */
  readonly model: M;
  /** How they were found. */
  readonly origin: SteeringOrigin;
  /** The grid that was read, of which some sites may be left. */
  readonly axes: readonly NamedAxis[];
  /** A vector for each site. */
  readonly vectors: readonly SiteVector[];
}

const OP = "Steering";
const ADDITION: OptionNames<AdditionOptions> = { strength: true, scale: true, about: true };

/**
 * Vectors that lead from texts without something to texts with it, by site, and the interventions that are
 * made of them; what {@link steeringVector} returns.
 */
export class Steering<M extends Module = Module> implements SteeringFields<M> {
  /** The model that they were read in. */
  readonly model: M;
  /** How they were found. */
  readonly origin: SteeringOrigin;
  /** The grid that was read, of which some sites may be left. */
  readonly axes: readonly NamedAxis[];
  /** A vector for each site that is left. */
  readonly vectors: readonly SiteVector[];

  constructor({ model, origin, axes, vectors }: SteeringFields<M>) {
    this.model = model;
    this.origin = origin;
    this.axes = axes;
    this.vectors = vectors;
  }

  /** The only vector. @throws TsveneError where there are several. */
  get vector(): Tensor {
    return this.only("vector").vector;
  }

  /** How well each site's vector tells the texts; see {@link SiteVector}. */
  get separability(): NamedArray {
    return this.arrayOf("separability", ({ separability }) => separability);
  }

  /** Standard deviation of the states along each vector. */
  get sd(): NamedArray {
    return this.arrayOf("standard deviation", ({ sd }) => sd);
  }

  /** Lengths of the vectors. */
  get lengths(): NamedArray {
    return this.arrayOf("length", ({ vector }) => lengthOf(vector));
  }

  /**
   * The vectors of some sites: `at({ layer: 2 })`, `at({ layer: [1, 2] })`.
   * @throws TsveneError for axes that are not there, and where no vector is left.
   */
  at(selection: Readonly<Record<string, AxisValue | readonly AxisValue[]>>): Steering<M> {
    // Says which axes and values there are.
    this.separability.at(selection);
    const isAt = ({ site }: SiteVector): boolean =>
      Object.entries(selection).every(([axis, wanted]) =>
        [wanted].flat().some((value) => value === site[axis as keyof GridSite]),
      );
    return this.#with(this.vectors.filter(isAt));
  }

  /** The vectors that tell the texts best, such as of 48 heads. @param count @default 1 */
  best(count = 1): Steering<M> {
    if (!Number.isSafeInteger(count) || count < 1 || count > this.vectors.length) {
      fail(
        OP,
        `best takes a number from 1 to the ${this.vectors.length} vectors, got ${shown(count)}`,
      );
    }
    const known = this.vectors.filter(({ separability }) => !Number.isNaN(separability));
    if (known.length < this.vectors.length) {
      fail(
        OP,
        "which vector is best is not known: there are too few texts to leave some out; use at()",
      );
    }
    return this.#with(
      this.vectors.toSorted((a, b) => b.separability - a.separability).slice(0, count),
    );
  }

  /**
   * Adds the vectors where they were read, at whatever positions a call edits: without locations at all, and
   * in `generate` at those of the new tokens. Vectors of heads are added to what the heads of a layer give
   * together. `generate`, `forward`, `save` and the rest are those of any model with interventions; its
   * `config.about` says how the vectors were found, and is saved with them.
   *
   * @throws TsveneError for several vectors at one place, such as of several positions, and one of no length
   * that is to be scaled.
   */
  intervention(options: AdditionOptions = {}): IntervenableModel<M> {
    requireKnownOptions(OP, options, ADDITION);
    const { strength = 1, scale = "raw", about = {} } = options;
    requireOneOf(OP, "scale", scale, SCALES);
    if (!Number.isFinite(strength)) {
      fail(OP, `strength must be a finite number, got ${shown(strength)}`);
    }
    const representations = additions(OP, this.model, this.vectors, { strength, scale });
    const steering = { does: "add", ...this.#facts(), strength, scale };
    return this.#edited(representations, { ...about, steering });
  }

  /**
   * Takes the direction of the only vector out of the residual stream, at every position that a call edits:
   * where it enters each layer, and out of what attention and MLP add to it (Arditi and others, 2024). No
   * layer can then read or write along it, as if it were out of every matrix that writes.
   *
   * @param sites - Where else it is taken out.
   * @throws TsveneError for several vectors, one of a head, and a model that does not say where its layers are.
   */
  ablation(sites?: SiteGrid | readonly SiteGrid[]): IntervenableModel<M> {
    const only = this.only("ablation");
    if (only.site.head !== undefined) fail(OP, "a head's vector is not one of the residual stream");
    const representations = ablations(OP, this.model, only.vector, sites);
    const steering = { does: "ablate", ...this.#facts() };
    return this.#edited(representations, { steering });
  }

  /** @internal The only vector, with its site. */
  only(what: string): SiteVector {
    const [first, ...others] = this.vectors;
    if (first !== undefined && others.length === 0) return first;
    return fail(
      OP,
      `${what} is of one vector, and there are ${this.vectors.length}; choose with best() or ` +
        "at({ layer: ... })",
    );
  }

  /** How many vectors there are, and how well they tell the texts. */
  toString(): string {
    const { method, positive, negative } = this.origin;
    const count = this.vectors.length;
    const what = `${count} ${count === 1 ? "vector" : "vectors"} by ${method}`;
    return `${what}, of ${positive} positive and ${negative} negative texts\n${String(this.separability)}`;
  }

  #edited(representations: readonly RepresentationConfig[], about: About): IntervenableModel<M> {
    return new IntervenableModel(new IntervenableConfig({ representations, about }), this.model);
  }

  #with(vectors: readonly SiteVector[]): Steering<M> {
    const { model, origin, axes } = this;
    if (vectors.length === 0) fail(OP, "no vector is left there");
    const left = axes.map(({ name, values }) => ({
      name,
      values: values.filter((value) =>
        vectors.some(({ site }) => site[name as keyof GridSite] === value),
      ),
    }));
    return new Steering({ model, origin, axes: left, vectors });
  }

  /** @internal A number for each site, NaN where there is no vector. */
  arrayOf(name: string, of: (vector: SiteVector) => number): NamedArray {
    const { axes } = this;
    const isAt = (cell: GridSite, { site }: SiteVector): boolean =>
      axes.every((axis) => cell[axis.name as keyof GridSite] === site[axis.name as keyof GridSite]);
    const values = sitesOf(axes).map((cell) => {
      const found = this.vectors.find((vector) => isAt(cell, vector));
      return found === undefined ? NaN : of(found);
    });
    return new NamedArray({ name, axes, values });
  }

  /** What files keep. */
  #facts(): Readonly<Record<string, unknown>> {
    const vectors = this.vectors.map(({ site, vector, sd, separability }) => ({
      read: site,
      length: lengthOf(vector),
      sd,
      separability: Number.isNaN(separability) ? null : separability,
    }));
    return { ...this.origin, vectors };
  }
}

printsItself(Steering.prototype);
