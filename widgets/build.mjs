/**
 * Builds the one module that every view is in, with its style sheet.
 *
 * `node build.mjs` writes both to hypernb/widgets/static; `--dev` also writes a page for a
 * browser without Jupyter to dev/out.
 */
import { build } from "esbuild";

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
  alias: {
    "d3-transition": "./src/no-transition.ts",
    "d3-interpolate": "./src/no-transition.ts",
  },
  legalComments: "eof",
  logLevel: "info",
};

await build({
  ...options,
  entryPoints: { hypernb: "src/index.tsx" },
  outdir: "../hypernb/widgets/static",
  minify: true,
});
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
