// The packages of peers that run in process: dependencies of bench/ alone, installed when first asked for.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const BENCH = new URL('../', import.meta.url);
const INSTALLED = new URL('node_modules/.package-lock.json', BENCH);
const WANTED = new URL('package-lock.json', BENCH);

/** Installs what bench/package-lock.json names, unless it is there. @param log takes lines */
export function installPackages(log) {
  if (existsSync(INSTALLED) && statSync(INSTALLED).mtimeMs >= statSync(WANTED).mtimeMs) return;
  log('installing DuckDB and SQLite: npm ci --prefix bench');
  // All binaries come in the packages: nothing has to be compiled or fetched by scripts.
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status, stderr } = spawnSync('npm', ['ci', ...options], {
    cwd: fileURLToPath(BENCH),
    encoding: 'utf8',
  });
  if (status !== 0) log(`npm ci --prefix bench failed: ${reasonOf(stderr ?? '')}`);
}

function reasonOf(stderr) {
  const errors = stderr.split('\n').filter((line) => line.startsWith('npm error'));
  const texts = errors.map((line) => line.slice('npm error'.length).trim()).filter(Boolean);
  return texts.slice(0, 2).join(': ') || 'npm did not run';
}

/** @returns null when the package is there. */
export function packageMissingReason(name) {
  return existsSync(new URL(`node_modules/${name}/package.json`, BENCH))
    ? null
    : `the package ${name} is not installed (npm ci --prefix bench)`;
}

/** Imports a package of bench/, whose types and names the rest of the project knows nothing of. */
export async function importPackage(name) {
  return import(name);
}
