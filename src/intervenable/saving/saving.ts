export { loadIntervenable } from "./load.ts";
export { loadParameters, saveParameters } from "./own-parameters.ts";
export { saveIntervenable } from "./save.ts";
