import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { CodeView } from "./code-view.tsx";
import { EditView } from "./edit-view.tsx";
import { loading, loadModel } from "./engine.ts";
import { Problem } from "./fields.tsx";
import { HeadsView } from "./heads-view.tsx";
import { LensView } from "./lens-view.tsx";
import { MapView } from "./map-view.tsx";
import { ModelView } from "./model-view.tsx";
import { readLink, writeLink } from "./permalink.ts";
import { type Picture, type View, VIEWS } from "./picture.ts";
import { PromptPair } from "./prompt-pair.tsx";
import { readPrompts } from "./questions.ts";
import { STORIES } from "./stories.ts";
import { SteerView } from "./steer-view.tsx";
import { useTask } from "./use-task.ts";

const VIEW_NAMES: { readonly [K in View]: string } = {
  map: "Map",
  lens: "Lens",
  heads: "Heads",
  steer: "Steer",
  edit: "Edit",
};

/** The whole page. */
export function App() {
  const [first] = useState(() => readLink(location.hash));
  const picture = useSignal<Picture>(first.picture);
  const problem = useSignal<string | undefined>(first.problem);
  const change = (part: Partial<Picture>): void => {
    picture.value = { ...picture.value, ...part };
    problem.value = undefined;
  };
  useSignalEffect(() => history.replaceState(null, "", writeLink(picture.value)));
  useEffect(() => {
    const read = (): void => {
      const said = readLink(location.hash);
      picture.value = said.picture;
      problem.value = said.problem;
    };
    addEventListener("hashchange", read);
    return () => removeEventListener("hashchange", read);
  }, []);
  const { from, name } = picture.value.model;
  useEffect(() => void loadModel({ from, name }), [from, name]);
  return (
    <>
      <header>
        <h1>tsvene playground</h1>
        <p>Look into a language model, and change what goes on in it.</p>
      </header>
      <main>
        <Problem text={problem.value} />
        <ModelView loading={loading.value} onChoose={(model) => change({ model, chosen: [] })} />
        <Stories picture={picture.value} onChoose={change} />
        <ViewButtons view={picture.value.view} onChoose={(view) => change({ view })} />
        <Views picture={picture.value} onChange={change} />
      </main>
      <footer>
        <p>
          The address of this page holds all of it: <CopyLink picture={picture.value} />
        </p>
      </footer>
    </>
  );
}

interface ViewButtonsProps {
  readonly view: View;
  readonly onChoose: (view: View) => void;
}

function ViewButtons({ view, onChoose }: ViewButtonsProps) {
  return (
    <nav aria-label="Views" class="views">
      {VIEWS.map((one) => (
        <button
          key={one}
          type="button"
          aria-current={view === one ? "page" : undefined}
          onClick={() => onChoose(one)}
        >
          {VIEW_NAMES[one]}
        </button>
      ))}
    </nav>
  );
}

interface StoriesProps {
  readonly picture: Picture;
  readonly onChoose: (picture: Picture) => void;
}

function Stories({ picture, onChoose }: StoriesProps) {
  const [id, setId] = useState("");
  const story = STORIES.find((one) => one.id === id);
  return (
    <section aria-label="Stories" class="stories">
      <p>Start with</p>
      {STORIES.map((one) => (
        <button
          key={one.id}
          type="button"
          aria-pressed={id === one.id}
          onClick={() => {
            setId(one.id);
            onChoose({ ...one.picture, model: picture.model });
          }}
        >
          {one.title}
        </button>
      ))}
      {story && <p class="told">{story.text}</p>}
    </section>
  );
}

interface ViewsProps {
  readonly picture: Picture;
  readonly onChange: (change: Partial<Picture>) => void;
}

function Views({ picture, onChange }: ViewsProps) {
  const now = loading.value;
  const model = now.state === "ready" ? now.model : undefined;
  const { clean, corrupt, right, wrong, view } = picture;
  const read = useTask(
    model && view !== "steer" ? async (signal) => readPrompts(model, picture, signal) : undefined,
    JSON.stringify([now.state, now.name, view === "steer", clean, corrupt, right, wrong]),
  );
  if (model === undefined) return null;
  const prompts = read.value;
  const shared = { model, picture, prompts, onChange };
  return (
    <>
      {view !== "steer" && <PromptPair picture={picture} prompts={prompts} onChange={onChange} />}
      {view !== "steer" && <Problem text={read.problem} />}
      {view === "map" && <MapView {...shared} />}
      {view === "lens" && <LensView {...shared} />}
      {view === "heads" && <HeadsView {...shared} />}
      {view === "steer" && <SteerView {...shared} />}
      {view === "edit" && <EditView {...shared} />}
      <CodeView
        picture={picture}
        answers={{ right: prompts?.right ?? right, wrong: prompts?.wrong ?? wrong }}
      />
    </>
  );
}

function CopyLink({ picture }: { readonly picture: Picture }) {
  const [said, say] = useState("");
  const link = new URL(writeLink(picture), location.href).href;
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(link);
    say("copied");
  };
  return (
    <>
      <button type="button" onClick={() => void copy()}>
        Copy the link
      </button>{" "}
      <span role="status">{said}</span>
    </>
  );
}
