import { useEffect, useState } from "preact/hooks";
import { messageOf } from "./engine.ts";

/** What comes of something that is computed. */
export interface Computed<T> {
  /** The newest that is there; while something new is computed, what was there before. */
  readonly value: T | undefined;
  readonly problem: string | undefined;
  readonly isBusy: boolean;
}

const PAUSE = 200;

/**
 * Computes something whenever what it depends on changes, after a pause in typing; what is under way is
 * stopped.
 *
 * @param run - Computes it; `show` takes what is there before all is. Undefined for nothing to compute.
 * @param key - What it depends on.
 */
export function useTask<T>(
  run: ((signal: AbortSignal, show: (value: T) => void) => Promise<T>) | undefined,
  key: string,
): Computed<T> {
  const [computed, set] = useState<Computed<T>>(NOTHING);
  useEffect(() => {
    if (run === undefined) {
      set(NOTHING);
      return undefined;
    }
    const controller = new AbortController();
    const { signal } = controller;
    const show = (value: T, isBusy: boolean): void => {
      if (!signal.aborted) set({ value, problem: undefined, isBusy });
    };
    set(({ value }) => ({ value, problem: undefined, isBusy: true }));
    const start = async (): Promise<void> => {
      try {
        show(await run(signal, (value) => show(value, true)), false);
      } catch (error) {
        if (!signal.aborted) set({ value: undefined, problem: messageOf(error), isBusy: false });
      }
    };
    const timer = setTimeout(() => void start(), PAUSE);
    return () => {
      clearTimeout(timer);
      controller.abort(new Error("something else was asked"));
    };
  }, [key]);
  return computed;
}

const NOTHING = { value: undefined, problem: undefined, isBusy: false } as const;
