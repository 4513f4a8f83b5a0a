export { type WhisperConfig, whisperConfig } from "../whisper/config.ts";
export { WhisperForConditionalGeneration, WhisperModel } from "../whisper/whisper.ts";
export type { AudioInputs } from "./inputs.ts";
