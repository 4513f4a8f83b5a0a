import { useId, useState } from "preact/hooks";
import { type Loading, loadModel } from "./engine.ts";
import { Problem, TextField } from "./fields.tsx";
import type { ModelChoice } from "./picture.ts";

interface ModelViewProps {
  readonly loading: Loading;
  readonly onChoose: (model: ModelChoice) => void;
}

/** Which model is asked, and how to bring one's own. */
export function ModelView({ loading, onChoose }: ModelViewProps) {
  return (
    <section
      class="model"
      aria-label="Model"
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        open(event.dataTransfer?.files);
      }}
    >
      <Status loading={loading} />
      <details>
        <summary>Another model</summary>
        <NamedModel onChoose={onChoose} />
        <Folder />
        <button type="button" class="plain" onClick={() => onChoose(SHIPPED)}>
          Back to tsvene-mini
        </button>
      </details>
    </section>
  );
}

function NamedModel({ onChoose }: Pick<ModelViewProps, "onChoose">) {
  const [text, setText] = useState("");
  const choose = (event: Event): void => {
    event.preventDefault();
    const name = text.trim();
    if (name !== "") onChoose({ from: URL.canParse(name) ? "url" : "hub", name });
  };
  return (
    <form onSubmit={choose}>
      <TextField
        label="Name on the Hugging Face Hub, or address of a directory"
        value={text}
        onChange={setText}
      />
      <button type="submit">Load it</button>
    </form>
  );
}

function Folder() {
  const id = useId();
  return (
    <p class="field">
      <label for={id}>
        Or a folder with config.json, tokenizer.json and model.safetensors; you can drop its files
        here, too
      </label>
      <input
        id={id}
        type="file"
        multiple
        {...{ webkitdirectory: true }}
        onChange={(event) => open(event.currentTarget.files)}
      />
    </p>
  );
}

function open(files: FileList | null | undefined): void {
  if (!files || files.length === 0) return;
  void loadModel({ from: "page", name: "a folder of yours" }, [...files]);
}

const SHIPPED: ModelChoice = { from: "page", name: "tsvene-mini" };

function Status({ loading }: { readonly loading: Loading }) {
  if (loading.state === "failed") {
    return <Problem text={`${loading.name} could not be loaded. ${loading.message}`} />;
  }
  if (loading.state === "loading") {
    const { share } = loading;
    return (
      <p role="status">
        Loading {loading.name}{" "}
        <progress aria-label="Loading" {...(share !== undefined && { value: share })} />
      </p>
    );
  }
  const { layers, parameters } = loading.model.description;
  return (
    <p role="status">
      {loading.name}: {layers} layers, {(parameters / 1e6).toFixed(1)} million numbers. It runs in
      this page; nothing is sent anywhere.
    </p>
  );
}
