import type { Filter } from "./filter-row.ts";
import { LIST_FILTERS } from "./list-filters.ts";
import type { FilterName } from "./names.ts";
import { NUMBER_FILTERS } from "./number-filters.ts";
import { TEXT_FILTERS } from "./text-filters.ts";

/** What each filter does. */
export const FILTERS: { readonly [K in FilterName]: Filter } = {
  ...TEXT_FILTERS,
  ...NUMBER_FILTERS,
  ...LIST_FILTERS,
};
