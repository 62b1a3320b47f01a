// Builds what is shipped: dist/kmm.js, the whole command line in one file, with a source map.
//   npm run build
import { chmod, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'

const root = join(import.meta.dirname, '..')
const file = join(root, 'dist', 'kmm.js')

// Some packages are CommonJS and ask for Node's own modules with `require`, which an ES module does not have.
const requireForCommonJs = `import { createRequire as createRequireOfKmm } from 'node:module'; const require = createRequireOfKmm(import.meta.url);`

await rm(join(root, 'dist'), { recursive: true, force: true })
await build({
  absWorkingDir: root,
  entryPoints: ['src/cli/kmm.ts'],
  outfile: file,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  // Names stay readable in stack traces, whoever reports a bug.
  minifySyntax: true,
  minifyWhitespace: true,
  keepNames: false,
  sourcemap: 'linked',
  sourcesContent: false,
  legalComments: 'external',
  banner: { js: requireForCommonJs },
  logLevel: 'warning',
})
await chmod(file, 0o755)
const { size } = await stat(file)
process.stdout.write(`dist/kmm.js ${(size / 1024).toFixed(0)} KiB\n`)
