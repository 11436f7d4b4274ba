// Work in a process of its own, which prints its outcome as JSON.
import { spawn } from 'node:child_process';

/** @returns what the script printed, or why it failed, in one line */
export async function runChild(script, task, { nodeOptions = [] } = {}) {
  const child = spawn(process.execPath, [...nodeOptions, script, JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, status] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    new Promise((resolve) => child.on('close', resolve)),
  ]);
  if (status === 0) return { printed: JSON.parse(stdout), failure: null };
  return { printed: null, failure: errorLineOf(stderr) ?? `it ended with status ${status}` };
}

/** What went wrong, of all that a failing process prints. */
function errorLineOf(text) {
  const lines = text.trim().split('\n').reverse();
  return (
    lines.find((line) => /^\s*(\[cause\]: )?\w*Error\b/.test(line))?.trim() ?? (lines[0] || null)
  );
}

async function textOf(stream) {
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) text += chunk;
  return text;
}
