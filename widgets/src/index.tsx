import "./theme.css";
import { render as draw } from "preact";
import { App } from "./app";
import { Connection } from "./connection";
import { noteFrontEnd } from "./front-end";
import type { FrontEndModel } from "./model";
import { Guarded } from "./parts/guarded";
import { keepKeys } from "./shortcuts";

/**
 * What anywidget asks of a module; see https://anywidget.dev/en/afm/. A function, so that each
 * widget has a connection of its own, which all its views share.
 */
export default function widget() {
  let connection: Connection | null = null;
  const connected = (model: FrontEndModel): Connection => {
    noteFrontEnd(model);
    connection ??= new Connection(model);
    return connection;
  };
  return {
    initialize({ model }: { model: FrontEndModel }) {
      const own = connected(model);
      return () => {
        own.close();
        if (connection === own) connection = null;
      };
    },
    render({ model, el }: { model: FrontEndModel; el: HTMLElement }) {
      const root = document.createElement("div");
      root.className = "hypernb";
      keepKeys(root);
      el.append(root);
      const end = connected(model).show();
      draw(
        <Guarded>
          <App connection={connected(model)} />
        </Guarded>,
        root,
      );
      return () => {
        draw(null, root);
        root.remove();
        end();
      };
    },
  };
}
