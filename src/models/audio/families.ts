import type { FamilyEntry } from "../family.ts";
import { whisperCard } from "../whisper/card.ts";
import { whisperFamily } from "../whisper/config.ts";
import { WhisperForConditionalGeneration, WhisperModel } from "../whisper/whisper.ts";

/** The models of sound. */
export const AUDIO_FAMILIES: readonly FamilyEntry[] = [
  {
    family: whisperFamily,
    card: whisperCard,
    models: { base: WhisperModel, seq2SeqLM: WhisperForConditionalGeneration },
  },
];
