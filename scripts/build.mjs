// Compiles src/ to dist/, and web/ to dist/web. `tsc` keeps file modes, so the command's bit is set here.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { build } from 'vite';

const require = createRequire(import.meta.url);
rmSync('dist', { recursive: true, force: true });
const tsc = require.resolve('typescript/package.json').replace('package.json', 'bin/tsc');
const compiler = spawn(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { stdio: 'inherit' });
const compiled = once(compiler, 'exit');
await build({ configFile: 'web/vite.config.ts', logLevel: 'warn' });
const [exitCode] = await compiled;
if (exitCode !== 0) process.exit(1);
chmodSync('dist/cli/main.js', 0o755);
