const MARK = "lmSuppressShortcuts";

/**
 * Keep letters, arrows and Enter from JupyterLab, which would take them for commands on cells.
 *
 * It looks for this mark on what has the focus, before any element around it. With Ctrl or Cmd
 * held down, its shortcuts work here as everywhere: the mark is taken away when such a key goes
 * down, which is before the key that it goes with.
 */
export function keepKeys(root: HTMLElement): void {
  const mark = ({ target }: Event): void => {
    if (target instanceof HTMLElement) target.dataset[MARK] = "true";
  };
  root.addEventListener("focusin", mark);
  root.addEventListener("keydown", ({ target, ctrlKey, metaKey }) => {
    if ((ctrlKey || metaKey) && target instanceof HTMLElement) delete target.dataset[MARK];
  });
  root.addEventListener("keyup", (event) => {
    if (!event.ctrlKey && !event.metaKey) mark(event);
  });
}
