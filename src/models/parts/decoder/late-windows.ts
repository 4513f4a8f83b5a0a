import type { SettingsTable } from "../../settings/define-settings.ts";
import { flag, natural, type Setting, whole } from "../../settings/kinds.ts";
import { layerTypes, layerTypesRow, type LayerType, windowsOf } from "./layer-types.ts";

/** Settings of a decoder whose last layers may see a sliding window only, as Qwen's. */
export interface LateWindows {
  /** Whether there are layers with a sliding window at all. */
  readonly useSlidingWindow: boolean;
  /** How many tokens each one sees in such layers, itself included. */
  readonly slidingWindow: number | null;
  /** The first layer with a sliding window, unless `layerTypes` says it. */
  readonly maxWindowLayers: number;
  /** What each layer sees. */
  readonly layerTypes: readonly LayerType[];
}

/** Rows of these settings. */
export const LATE_WINDOWS: { readonly [K in keyof LateWindows]: Setting<LateWindows[K]> } = {
  useSlidingWindow: flag(false),
  slidingWindow: whole.orNull(4096),
  maxWindowLayers: natural(28),
  layerTypes: layerTypesRow,
};

/** The same settings with what each layer sees. */
export function withLateWindows<Config extends LateWindows & { readonly numHiddenLayers: number }>(
  family: string,
  config: Config,
): Config {
  const { useSlidingWindow, maxWindowLayers } = config;
  const slides = (layer: number): boolean => useSlidingWindow && layer >= maxWindowLayers;
  return { ...config, layerTypes: layerTypes(family, config, slides) };
}

/** How many tokens each one sees in the layer of a number; null: all before it. */
export function lateWindowsOf(config: LateWindows): (layer: number) => number | null {
  const slidingWindow = config.useSlidingWindow ? config.slidingWindow : null;
  return windowsOf({ ...config, slidingWindow });
}

/** Fields of Qwen's files: what changes nothing, and what would change numbers. */
export const QWEN_FIELDS: Required<Pick<SettingsTable, "inert" | "neutral">> = {
  inert: ["dualChunkAttentionConfig"],
  neutral: { useMrope: { values: [false, null], why: "positions would have three parts" } },
};
