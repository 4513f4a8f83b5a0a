import { noteSteering, steererOf } from "../../models/model/cache-notes.ts";
import { tensorsIn } from "../../models/generation/cache.ts";
import { fail } from "../../interventions/errors.ts";
import type { Plan } from "./plan.ts";

/** Who edits the pass of a plan; undefined where it is only read. */
function steererIn({ base }: Plan, steerer: object): object | undefined {
  return base.edits.some(({ intervention }) => !intervention.collects) ? steerer : undefined;
}

function cacheIn(values: unknown): unknown {
  return (Object(values) as { readonly pastKeyValues?: unknown }).pastKeyValues;
}

/** @throws InterventionError for a cache that was made with other interventions than those of the plan. */
export function refuseOtherCache(plan: Plan, steerer: object): void {
  const cache = cacheIn(plan.base.inputs);
  if (tensorsIn(cache).length === 0) return;
  const [made, now] = [steererOf(cache), steererIn(plan, steerer)];
  if (made === now) return;
  const how = made === undefined ? "without interventions" : "with other interventions";
  fail(
    "IntervenableModel",
    `pastKeyValues were made ${how}, so that the earlier tokens are not edited as in a pass over the ` +
      "whole text; give those of this model's own intervened output, the whole text without a cache, or " +
      "{ otherCache: true } where only the new tokens are meant",
  );
}

/** Notes whose interventions the cache in an output was made with. */
export function noteOwnCache(plan: Plan, steerer: object, output: unknown): void {
  const by = steererIn(plan, steerer);
  if (by !== undefined) noteSteering(cacheIn(output), by);
}
