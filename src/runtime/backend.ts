import type { TypedArray } from "../tensor/dtype.ts";
import type { Shape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Weights } from "./emit/packing.ts";
import type { Program } from "./program/program.ts";

/** Numbers that a backend has computed, in row-major order. */
export interface HostValue {
  /** The shape, or that of the matrix [rows, features] of the same numbers. */
  readonly shape: Shape;
  /** The elements in row-major order. */
  readonly data: TypedArray;
}

/** A program together with what is the same in each of its runs. */
export interface BoundProgram {
  /**
   * Computes the program's targets; of a loop the last of what is fed back, and of all else the
   * numbers of all steps, stacked.
   *
   * @param inputs Values from outside that were not bound, by their ids.
   * @param times Steps, if it is a loop.
   * @throws TensorError for what only the run shows, such as an index that is computed in it.
   */
  run(inputs: ReadonlyMap<number, Tensor>, times: number): Promise<readonly HostValue[]>;
}

/** A program that is ready to run, with any sizes that its signature leaves open. */
export interface Executable {
  /**
   * Takes the sizes of `program`, which has the signature that was compiled, and all its values from
   * outside but the weights that were built in and those whose ids are in `open`.
   */
  bind(program: Program, open: ReadonlySet<number>): BoundProgram;
  /** Gives everything back; no run is under way. */
  release(): Promise<void>;
}

/** How a program is compiled. */
export interface CompileOptions {
  /** Weights to be built in, with the sizes that they say. */
  readonly weights: Weights | undefined;
  /** Threads that one operation may use; undefined for all. */
  readonly threads: number | undefined;
}

/**
 * Where a page finds the engine's WebAssembly: a folder, or each of its files. Relative addresses are
 * seen from the page.
 */
export type WasmPaths =
  string | URL | { readonly wasm?: string | URL; readonly mjs?: string | URL };

/** Settings of the engine that a backend computes with. */
export interface EngineOptions {
  /**
   * In a page: where `ort-wasm-simd-threaded.wasm` (and `.mjs`, for a page with threads) of
   * onnxruntime-web lies. Cannot be changed once something was computed.
   * @default beside the script, where bundlers put it
   */
  readonly wasmPaths?: WasmPaths;
  /**
   * What computes, best first: `"wasm"` in a page, and in Node `"cpu"` or what else ONNX Runtime finds
   * there.
   * @default the processor
   */
  readonly executionProviders?: readonly string[];
  /**
   * In a page: threads of the engine. More than one needs a page that is isolated from other origins.
   * Cannot be changed once something was computed. In Node, see `threads`.
   * @default half of the processor's cores, at most 4, in an isolated page; else 1
   */
  readonly numThreads?: number;
  /**
   * In Node: threads that one operation may use, in programs that have operations worth it. In a
   * page, see `numThreads`.
   * @default the number of physical cores
   */
  readonly threads?: number;
}

/** What computes programs. Everything else about running them is the {@link Runtime}'s. */
export interface Backend {
  /** What reports and messages call it, such as "onnxruntime-node". */
  readonly name: string;
  /** Bytes of weights that programs may hold besides the tensors' own, unless configured. */
  readonly weightBytes: number;
  /**
   * Makes a program ready to run. Only what its signature and the key of its weights cover may
   * influence the result, for programs of the same share it.
   */
  compile(program: Program, options: CompileOptions): Promise<Executable>;
  /**
   * Takes settings of its engine, all of them or, where it throws, none.
   * @throws TsveneError for what it cannot do, or no longer, as it has started.
   */
  configure?(options: EngineOptions): void;
}
