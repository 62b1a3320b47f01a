// Runs a TypeScript file of this repository on the Node that package.json asks for, after installing the
// dependencies if they are missing or stale. Written for old Nodes too: this is the one file they run.
import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const stamp = join(root, 'node_modules', '.kmm-installed')
const wanted = createHash('sha256')
  .update(readFileSync(join(root, 'package.json')))
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex')

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  process.stderr.write('Installing dependencies (npm install) ...\n')
  try {
    // Not `npm ci`: it refuses a lock file without the optional packages of other platforms, which not every registry has.
    // npm's own output goes to stderr: stdout belongs to the command that was asked for.
    execFileSync('npm', ['install', '--no-save', '--no-fund', '--no-audit', '--loglevel=error'], {
      cwd: root,
      stdio: ['ignore', 2, 2],
    })
  } catch {
    process.stderr.write('npm install failed, see above. Is the npm registry reachable?\n')
    process.exit(1)
  }
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, wanted)
}

const bundled = join(root, 'node_modules', '.bin', 'node')
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const node = existsSync(bundled) ? bundled : process.execPath
if (node === process.execPath && node !== bundled && (major < 24 || (major === 24 && minor < 11))) {
  process.stderr.write(`Node ${process.versions.node} is too old: KMM needs Node 24.11 or newer on this platform.\n`)
  process.exit(1)
}

const [file = '', ...args] = process.argv.slice(2)
const child = spawn(node, [join(root, file), ...args], { stdio: 'inherit' })
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)))
