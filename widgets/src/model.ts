/** What a front end gives to a view: the part of anywidget's protocol that is used here. */
export interface FrontEndModel {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  save_changes(): void;
  on(event: string, callback: (...args: never[]) => void): void;
  off(event: string, callback: (...args: never[]) => void): void;
  send(content: unknown): void;
  /** JupyterLab's and Notebook's widget manager; other front ends have their own or none. */
  widget_manager?: unknown;
}
