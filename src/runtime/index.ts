import "./run.ts";

export { clearSessions, configureRuntime, type RuntimeOptions } from "./sessions.ts";
export { resetStats, type RuntimeStats, runtimeStats } from "./stats.ts";
