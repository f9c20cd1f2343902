/**
 * Builds the one module that every view is in, with its style sheet.
 *
 * `node build.mjs` writes both to hypernb/widgets/static; `--dev` also writes a page for a
 * browser without Jupyter to dev/out.
 */
import { readFile, writeFile } from "node:fs/promises";
import { build } from "esbuild";
import { minify } from "terser";

const STATIC = "../hypernb/widgets/static";
const MODULE = `${STATIC}/hypernb.js`;
/** Every page with a view carries the module, so it may not grow unseen. */
const MOST_BYTES = 200_000;

const dev = process.argv.includes("--dev");
const options = {
  bundle: true,
  format: "esm",
  target: "es2022",
  // Shorter by some 3 % than the automatic form, which tests use.
  tsconfigRaw: {
    compilerOptions: {
      jsx: "react",
      jsxFactory: "jsxElement",
      jsxFragmentFactory: "jsxFragment",
    },
  },
  inject: ["src/jsx.ts"],
  legalComments: "linked",
  logLevel: "warning",
};

await build({
  ...options,
  entryPoints: { hypernb: "src/index.tsx" },
  outdir: STATIC,
  minify: true,
});
// What esbuild leaves apart is joined: functions that are called once, and the like.
const { code } = await minify(await readFile(MODULE, "utf8"), {
  module: true,
  ecma: 2020,
  // Reading a signal is how a view follows it: what is read and then not used still counts.
  compress: { passes: 3, hoist_funs: true, pure_getters: false, unsafe_arrows: true },
  format: { comments: /^! For license information/ },
});
await writeFile(MODULE, code);
const size = Buffer.byteLength(code);
console.log(`hypernb.js has ${size} bytes.`);
if (size > MOST_BYTES) {
  console.error(
    `hypernb.js has ${size} bytes, which is more than ${MOST_BYTES}. ` +
      "Leave something out, or use what another view has already.",
  );
  process.exit(1);
}
if (dev) {
  await build({
    ...options,
    format: "iife",
    entryPoints: { dev: "dev/dev.tsx" },
    outdir: "dev/out",
    sourcemap: "inline",
    jsxDev: false,
  });
}
