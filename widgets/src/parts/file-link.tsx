import { useSignal } from "@preact/signals";
import { Fragment, type JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { door, servedPath } from "../front-end";
import { line } from "../words";

interface Props {
  /** Folder that the path is relative to. */
  root: string;
  path: string;
  line: number | null;
  cell: number | null;
}

/** A place in a file: opens it where the program around can, and is its path where not. */
export function FileLink({ root, path, line: number, cell }: Props): JSX.Element {
  const button = useRef<HTMLButtonElement>(null);
  const refused = useSignal(false);
  if (path === "") return <span>the whole tree</span>;
  const said = `${line(path, 400)}${cell === null ? "" : `#cell-${cell}`}${
    number === null ? "" : `:${number}`
  }`;
  const way = door();
  const served = way === null ? null : servedPath(root, path);
  // A line counts within its cell there, and an editor knows only whole files.
  const at = cell === null ? number : null;
  return way !== null && served !== null ? (
    <>
      {/* JupyterLab adds a listener to what it marks: another place is another button. */}
      <Opening key={`${served}:${at}`} {...{ button, way, served, at, said, refused }} />
      {refused.value && (
        <span class="refused" role="alert">
          It could not be opened.
        </span>
      )}
    </>
  ) : (
    <code class="path">
      <Breaking path={said} />
    </code>
  );
}

interface OpeningProps {
  button: { current: HTMLButtonElement | null };
  way: NonNullable<ReturnType<typeof door>>;
  served: string;
  at: number | null;
  said: string;
  refused: { value: boolean };
}

function Opening({ button, way, served, at, said, refused }: OpeningProps): JSX.Element {
  useEffect(() => {
    if (button.current) way.mark?.(button.current, served, at);
  }, [served, at]);
  const press = async (): Promise<void> => {
    refused.value = false;
    try {
      await way.open?.(served, at);
    } catch (error) {
      console.warn("hypernb: a file could not be opened.", error);
      refused.value = true;
    }
  };
  return (
    <button
      ref={button}
      type="button"
      class="link name"
      title={`Open ${served}`}
      onClick={() => void press()}
    >
      <Breaking path={said} />
    </button>
  );
}

/** A path that breaks behind its slashes, where it has to break. */
function Breaking({ path }: { path: string }): JSX.Element {
  const parts = path.split(/(?<=\/)/);
  return (
    <>
      {parts.map((part, place) => (
        <Fragment key={place}>
          {place > 0 && <wbr />}
          {part}
        </Fragment>
      ))}
    </>
  );
}
