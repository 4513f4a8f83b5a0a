import type { FamilyEntry } from "../model/family.ts";
import { wav2Vec2BertFamily } from "../families/wav2vec2-bert/config.ts";
import {
  Wav2Vec2BertForSequenceClassification,
  Wav2Vec2BertModel,
} from "../families/wav2vec2-bert/wav2vec2-bert.ts";
import { whisperFamily } from "../families/whisper/config.ts";
import {
  WhisperForAudioClassification,
  WhisperForConditionalGeneration,
  WhisperModel,
} from "../families/whisper/whisper.ts";

/** The models of sound. */
export const AUDIO_FAMILIES: readonly FamilyEntry[] = [
  {
    family: whisperFamily,
    models: {
      base: WhisperModel,
      seq2SeqLM: WhisperForConditionalGeneration,
      audioClassification: WhisperForAudioClassification,
    },
  },
  {
    family: wav2Vec2BertFamily,
    models: {
      base: Wav2Vec2BertModel,
      audioClassification: Wav2Vec2BertForSequenceClassification,
    },
  },
];
