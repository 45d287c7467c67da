// Runs a script of this project under the Node that the lock file names, after installing what is
// missing: `node launch.mjs platform/start.ts`. Plain JavaScript for any Node from 20 on, because
// it comes before everything that could be newer.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = dirname(fileURLToPath(import.meta.url));
const modules = join(folder, 'node_modules');
const stampFile = join(modules, '.slotkeeper-installed');

const [script, ...args] = process.argv.slice(2);
if (!script) fail('Usage: node launch.mjs <script> [arguments]');
installMissing();
run(candidates(), [join(folder, script), ...args]);

function installMissing() {
  const lock = readFileSync(join(folder, 'package-lock.json'), 'utf8');
  const stamp = createHash('sha256')
    .update(`${process.platform} ${process.arch} ${lock}`)
    .digest('hex');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  if (!isInstalled(JSON.parse(lock))) install();
  writeFileSync(stampFile, stamp);
}

// npm notes in node_modules what it has put there. Packages for other machines are missing by
// right: they are optional.
function isInstalled(lock) {
  const noteFile = join(modules, '.package-lock.json');
  if (!existsSync(noteFile)) return false;
  const installed = JSON.parse(readFileSync(noteFile, 'utf8')).packages;
  return Object.entries(lock.packages).every(([path, wanted]) => {
    if (path === '') return true;
    const found = installed[path];
    return found ? found.integrity === wanted.integrity : wanted.optional === true;
  });
}

// Inside npm scripts the first `node` of PATH can be the one in node_modules, which the
// installation is about to replace. So the project's programs are taken off PATH for it.
function install() {
  process.stderr.write('Installing what is missing (npm ci) …\n');
  const programs = (process.env.PATH ?? '').split(delimiter);
  const PATH = programs.filter((entry) => !entry.startsWith(modules)).join(delimiter);
  const npmArgs = ['ci', '--include=dev', '--include=optional', '--no-fund', '--no-audit'];
  const result = spawnSync('npm', npmArgs, {
    cwd: folder,
    env: { ...process.env, PATH },
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (result.status !== 0) {
    fail(`npm ci failed${result.error ? `: ${result.error.message}` : ''}. Nothing was started.`);
  }
}

// The locked Node; after it this one, for machines that the locked one is not made for.
function candidates() {
  const locked = join(modules, '.bin', 'node');
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const isRecent = major > 22 || (major === 22 && minor >= 18);
  return [...(existsSync(locked) ? [locked] : []), ...(isRecent ? [process.execPath] : [])];
}

function run([node, ...others], nodeArgs) {
  if (!node) {
    fail(
      `There is no Node for ${process.platform}-${process.arch} among the installed packages, ` +
        `and this one is ${process.version}. Install Node 22.18 or newer.`,
    );
  }
  // Node keeps what it compiled here; it starts in about two thirds of the time from then on.
  // GRAPHILE_ENV only silences a question of PostGraphile's; its development mode is slower.
  const env = {
    NODE_COMPILE_CACHE: join(modules, '.cache', 'node'),
    GRAPHILE_ENV: 'production',
    ...process.env,
  };
  const child = spawn(node, nodeArgs, { stdio: 'inherit', env });
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'];
  const passOn = (signal) => child.kill(signal);
  for (const signal of signals) process.on(signal, passOn);
  child.on('error', () => {
    for (const signal of signals) process.off(signal, passOn);
    run(others, nodeArgs);
  });
  child.on('exit', (code, signal) => {
    process.exit(code ?? 128 + (constants.signals[signal] ?? 0));
  });
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
