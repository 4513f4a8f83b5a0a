import "./run.ts";

export { describeProgram, type ProgramDescription } from "./describe-program.ts";
export { clearSessions, configureRuntime, type RuntimeOptions } from "./sessions.ts";
export { resetStats, type RuntimeStats, runtimeStats } from "./stats.ts";
