import { PassThrough } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import type { CliIo } from '../../src/cli/cli-io.ts';
import { startProgress } from '../../src/cli/progress.ts';

/** What a bar draws when its updates come at the given times after its start. */
function draw(isTerminal: boolean, updateTimesMs: readonly number[]): string {
  let nowMs = 0;
  let text = '';
  const stderr = Object.assign(new PassThrough(), { isTTY: true, columns: 80 });
  stderr.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const io = {
    stderr,
    isTerminal: { stdin: false, stdout: false, stderr: isTerminal },
    now: () => new Date(nowMs),
  } as unknown as CliIo;
  const progress = startProgress(io, 'downsample');
  for (const [i, timeMs] of updateTimesMs.entries()) {
    nowMs = timeMs;
    progress.update(i, { total: 4, note: `${i} rows` });
  }
  progress.stop();
  return text;
}

describe('a progress bar', () => {
  test('is drawn for work of more than a second, on a terminal', () => {
    expect(draw(true, [0, 500, 1500])).toContain('downsample');
  });

  test('is not drawn for short work, nor elsewhere', () => {
    expect(draw(true, [0, 500, 999])).toBe('');
    expect(draw(false, [0, 500, 1500])).toBe('');
  });
});
