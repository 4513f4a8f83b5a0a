// Finetuning of representations, under pyreft's names.
export { type FreeReftOptions, NodireftIntervention, NoreftIntervention } from "./free-reft.ts";
export { ReftIntervention, type ReftOptions } from "./reft-intervention.ts";
export {
  ConsreftIntervention,
  DireftIntervention,
  LobireftIntervention,
  LoreftIntervention,
} from "./rotated-reft.ts";
