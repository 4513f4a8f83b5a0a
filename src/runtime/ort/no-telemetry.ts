/**
 * Keeps ONNX Runtime's telemetry off. From 1.30 on, `onnxruntime-node` writes an id of the device
 * below the user's home, and looks up a host to send events to, unless `ORT_DISABLE_TELEMETRY` says
 * no when its first session is made. So this module is imported before it.
 *
 * Whoever wants telemetry says so: `ORT_DISABLE_TELEMETRY=0` in the environment is left as it is.
 */
const NAME = "ORT_DISABLE_TELEMETRY";

/** What asks for telemetry; the runtime takes an empty text for that as well, which asks for nothing. */
const WANTED: ReadonlySet<string> = new Set(["0", "false", "no", "off"]);

function turnOff(): void {
  const inherited = process.env[NAME];
  if (WANTED.has(inherited?.trim().toLowerCase() ?? "")) return;
  process.env[NAME] = "1";
  const { isMainThread } = process.getBuiltinModule("node:worker_threads");
  if (isMainThread || inherited !== undefined) return;
  // A worker's environment is a copy, and the runtime asks for that of the process.
  process.emitWarning(
    "telemetry of onnxruntime-node cannot be turned off from a worker thread: set " +
      "ORT_DISABLE_TELEMETRY=1 in the environment, or import tsvene in the main thread before the " +
      "worker is started",
    { type: "TelemetryWarning" },
  );
}

turnOff();
