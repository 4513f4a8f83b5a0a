import { TsveneError } from "../../base/errors.ts";
import type { FileSource } from "../../files/file-source.ts";
import type { Check, Verification } from "../../models/catalogue/verify-checkpoint.ts";
import type { Module } from "../../nn/module.ts";
import { IntervenableModel } from "../intervenable-model.ts";
import { describeArtefact } from "./describe-artefact.ts";

/**
 * Looks whether saved interventions are whole: their files, with the sizes and the SHA-256 that
 * `tsvene.json` says, their classes, and whether they load on a model.
 *
 * @param model - The model to load them on. @default none, so that only files are looked at
 * @returns What was found; a failed check is no error.
 */
export async function verifyArtefact(files: FileSource, model?: Module): Promise<Verification> {
  const checks: Check[] = [await check("files", () => filesOf(files))];
  if (model !== undefined) {
    const load = async (): Promise<string> => {
      const { names } = await IntervenableModel.load(files, model, { includeModel: false });
      return `${names.length} interventions load on a ${model.constructor.name}`;
    };
    checks.push(await check("model", load));
  }
  return { location: files.location, ok: checks.every(({ ok }) => ok), checks };
}

async function filesOf(files: FileSource): Promise<string> {
  const { interventions, tensors, writtenBy } = await describeArtefact(files);
  const sums = writtenBy === "tsvene" ? ", as their checksums say" : "";
  return `${interventions.length} interventions and ${tensors.length} tensors${sums}`;
}

async function check(name: string, work: () => Promise<string>): Promise<Check> {
  try {
    return { name, ok: true, message: await work() };
  } catch (error) {
    if (!(error instanceof TsveneError)) throw error;
    return { name, ok: false, message: error.message };
  }
}
