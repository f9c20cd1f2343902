/** What elements become in the bundle; `build.mjs` puts it where it is needed. */
export { createElement as jsxElement, Fragment as jsxFragment } from "preact";
