// Computes what tensors record: from a graph to a program, which a backend runs.
export type {
  Backend,
  BoundProgram,
  CompileOptions,
  EngineOptions,
  Executable,
  HostValue,
  WasmPaths,
} from "./backend.ts";
export {
  availableDevices,
  clearSessions,
  configureRuntime,
  defaultRuntime,
  resetStats,
  runtimeStats,
  type RuntimeSettings,
} from "./default-runtime.ts";
export { describeProgram, type ProgramDescription } from "./program/describe-program.ts";
export type { Weights } from "./emit/packing.ts";
export type { Feedback, Program } from "./program/program.ts";
export { Runtime, type RuntimeOptions } from "./runtime.ts";
export type { RuntimeStats } from "./stats.ts";
export type { Input, Step, Value } from "./program/step.ts";
