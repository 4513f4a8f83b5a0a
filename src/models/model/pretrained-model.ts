import { requireInputs } from "./require-inputs.ts";
import type { FilesName } from "../../files/open-files.ts";
import type { Pushed } from "../../files/push-options.ts";
import { Module } from "../../nn/module.ts";
import { checkWeightDType, type WeightDType } from "../../nn/parameter.ts";
import { isFloat } from "../../tensor/dtype.ts";
import { isTraced } from "../../nn/scope.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { warn } from "../../base/warn.ts";
import { steererOf } from "./cache-notes.ts";
import type { ModelConfig } from "../settings/config.ts";
import type { ModelClass } from "./family.ts";
import { watchLogits } from "../generation/finite-logits.ts";
import type { GenerationFields } from "../generation/fields.ts";
import type { PretrainedOptions } from "./load-pretrained.ts";
import type { SaveOptions } from "./save-pretrained.ts";

/**
 * Base of all models that Hugging Face's checkpoints exist of. Subclasses name their family in
 * `static readonly family`.
 *
 * What reads and writes files is imported when it is first asked for: a page that makes its models
 * from settings does not load it.
 */
export abstract class PreTrainedModel extends Module {
  /** Settings; subclasses say which their family has. */
  abstract readonly config: ModelConfig;

  /**
   * Fields of `generation_config.json` under camelCase names, which `generate` goes by where a call says
   * nothing else. `savePretrained` writes them; to change one, replace the object.
   */
  generationConfig: GenerationFields = {};

  /** Inputs that the model does not read would silently be no inputs. */
  protected override checkInputs(inputs: unknown): void {
    const { pastKeyValues } = (inputs ?? {}) as { readonly pastKeyValues?: unknown };
    if (pastKeyValues !== undefined && !isTraced() && steererOf(pastKeyValues) !== undefined) {
      warn(
        "forward",
        "the cache was made with interventions, which go on acting through it in this pass without them",
      );
    }
    requireInputs(this.constructor.name, inputs);
  }

  /** Logits that are not finite are said when they are read. */
  protected override noteOutput(output: unknown): void {
    const { logits } = (output ?? {}) as { readonly logits?: unknown };
    if (logits instanceof Tensor) watchLogits(this.constructor.name, logits);
  }

  /** Element type that the weights are kept in; 16-bit ones are computed with in float32. */
  get dtype(): WeightDType {
    const first = this.parameters().find(({ dtype }) => isFloat(dtype));
    const dtype = first?.stored.dtype ?? "float32";
    checkWeightDType(`${this.constructor.name}.dtype`, dtype);
    return dtype;
  }

  /**
   * Loads a model from a directory with `config.json` and weights, in one file or in shards, or from
   * the Hugging Face Hub. The weights are safetensors, or else PyTorch's (`pytorch_model.bin`), of
   * which nothing is executed. The model is in evaluation mode.
   *
   * Loading is strict: every weight of the model must be in the checkpoint, with its shape, and
   * nothing else of the same parts. A model without a head can be read from the checkpoint of one
   * that has a head; tensors of parts that the class has not are left out, which is said. Shared
   * weights that differ in the checkpoint are no longer shared, which is said as well.
   *
   * @param name a directory, a model of the Hub, or another place that `openFiles` knows.
   * @throws CheckpointError with the likely cause and the missing, unexpected and unfitting tensors; ModelError for
   * a model of another family.
   *
   * @example
   * ```ts no-run
   * import { GPT2LMHeadModel } from "tsvene";
   * const model = await GPT2LMHeadModel.fromPretrained("openai-community/gpt2");
   * ```
   */
  static async fromPretrained<M extends PreTrainedModel>(
    this: ModelClass<M>,
    name: FilesName,
    options: PretrainedOptions = {},
  ): Promise<M> {
    const { loadPretrained } = await import("./load-pretrained.ts");
    return loadPretrained(this, name, options);
  }

  /**
   * Writes `config.json` and `model.safetensors` with Hugging Face's names and orientation of
   * weights, so that Python's `from_pretrained` reads them too (Node only); and
   * `generation_config.json`, when there are settings for it. Shared weights are written once.
   *
   * It is one step: whenever it is stopped, and by whatever, the directory holds the model that it
   * held before or this one. Of several saves at once, one comes after the other. Files of an old
   * model of these names go, shards among them; other files stay.
   *
   * With `pushToHub` the same files go into a repository of the Hugging Face Hub, all in one commit.
   *
   * @returns what the Hub has now, when it was pushed there.
   * @throws FileSourceError when it cannot be written, with the path and the reason, or cannot be
   * uploaded; what there was before is there then.
   *
   * @example
   * ```ts no-run
   * import { GPT2LMHeadModel } from "tsvene";
   * const model = new GPT2LMHeadModel({ nLayer: 2, nEmbd: 64, nHead: 4, vocabSize: 100 });
   * await model.savePretrained("my-model");
   * await model.savePretrained("my-model", { pushToHub: { repo: "me/my-model", private: true } });
   * ```
   */
  async savePretrained(directory: string, options: SaveOptions = {}): Promise<Pushed | undefined> {
    const { savePretrained } = await import("./save-pretrained.ts");
    return savePretrained(this, directory, options);
  }
}
