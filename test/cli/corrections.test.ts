import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ensureStream, type TemporaryStore, temporaryStore } from './harness.ts';

let store: TemporaryStore;
let id: string;

beforeEach(async () => {
  store = await temporaryStore();
  id = await ensureStream(store, '--query', 'm=a');
  const stdin = Array.from({ length: 121 }, (_, second) => `${1000 + second},1`).join('\n');
  expect((await store.cli(['append', id], { stdin })).stdout).toBe('121 datapoints appended\n');
  await store.cli(['downsample']);
});

afterEach(() => store.remove());

async function rows(): Promise<string[]> {
  const { stdout } = await store.cli(['get', id, '--format', 'csv']);
  return stdout.trim().split('\n').slice(1);
}

async function expectVerified(): Promise<void> {
  await store.cli(['downsample']);
  expect((await store.cli(['verify'])).stdout).toMatch(/, 0 differences\n$/);
}

describe('append --replace', () => {
  test('puts one value in the place of what is there', async () => {
    const result = await store.cli(['append', id, '7', '--at', '1005', '--replace']);
    expect(result).toEqual({
      exitCode: 0,
      stdout: '{"t":"1970-01-01T00:16:45Z","v":7}\n',
      stderr: '',
    });
    expect((await rows()).slice(4, 7)).toEqual([
      '1970-01-01T00:16:44Z,1',
      '1970-01-01T00:16:45Z,7',
      '1970-01-01T00:16:46Z,1',
    ]);
    await expectVerified();
  });

  test('takes lines, and reports a bad one by its number', async () => {
    const good = await store.cli(['append', id, '--replace'], { stdin: '1001,5\n999,6\n1001,8\n' });
    expect(good.stdout).toBe('3 datapoints appended\n');
    const bad = await store.cli(['append', id, '--replace'], { stdin: '1002,5\n1003,x\n' });
    expect(bad).toMatchObject({ exitCode: 3, stdout: '' });
    expect(bad.stderr).toMatch(/line 2: .*; 1 datapoint appended before it/);
    expect((await rows()).slice(0, 4)).toEqual([
      '1970-01-01T00:16:39Z,6',
      '1970-01-01T00:16:40Z,1',
      '1970-01-01T00:16:41Z,8',
      '1970-01-01T00:16:42Z,5',
    ]);
    await expectVerified();
  });
});

describe('erase', () => {
  test('asks on a terminal, refuses elsewhere, and says how many', async () => {
    const range = ['--start', '1010', '--end', '1019'];
    const terminal = { isTerminal: { stdin: true, stdout: false, stderr: false } };
    expect(await store.cli(['erase', id, ...range])).toMatchObject({ exitCode: 5, stdout: '' });
    const no = await store.cli(['erase', id, ...range], { ...terminal, stdin: 'n\n' });
    expect(no).toMatchObject({ exitCode: 5, stdout: '' });
    expect(await rows()).toHaveLength(121);
    const yes = await store.cli(['erase', id, ...range], { ...terminal, stdin: 'y\n' });
    expect(yes).toMatchObject({ exitCode: 0, stdout: '10 datapoints deleted\n' });
    expect(await rows()).toHaveLength(111);
    const rest = await store.cli([
      'erase',
      id,
      '--start',
      '1010',
      '--end-exclusive',
      '1021',
      '--yes',
    ]);
    expect(rest.stdout).toBe('1 datapoint deleted\n');
    expect((await store.cli(['erase', id, ...range, '--yes'])).stdout).toBe(
      '0 datapoints deleted\n',
    );
    await expectVerified();
  });

  test.each([
    ['no start', ['--end', '5', '--yes'], 2],
    ['no end', ['--start', '5', '--yes'], 2],
    ['two ends', ['--start', '5', '--end', '6', '--end-exclusive', '7', '--yes'], 2],
    ['a bad time', ['--start', 'noon', '--end', '6', '--yes'], 2],
  ])('with %s is refused', async (_what, options, exitCode) => {
    const result = await store.cli(['erase', id, ...options]);
    expect(result).toMatchObject({ exitCode, stdout: '' });
    expect(result.stderr).toMatch(/^datastream: [^\n]+\n$/);
    expect(await rows()).toHaveLength(121);
  });
});
