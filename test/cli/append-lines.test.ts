import { PassThrough, Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type TemporaryStore, temporaryStore } from './harness.ts';

let store: TemporaryStore;
let streamId: string;

beforeEach(async () => {
  store = await temporaryStore();
  const argv = ['ensure', '--query', 'm=a', '--downsamplers', 'mean', '--granularity', 'seconds'];
  streamId = (await store.cli(argv)).stdout.trim();
});

afterEach(() => store.remove());

async function values(): Promise<unknown[]> {
  const { stdout } = await store.cli(['get', streamId, '--format', 'ndjson']);
  return stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line).v]));
}

/** Each stands as the third line, between good ones. */
const BAD_CSV_LINES: readonly (readonly [string, string, RegExp])[] = [
  ['one column', '1000', /expected timestamp,value and found 1 column$/],
  ['three columns', '1000,1,2', /found 3 columns/],
  ['a bad time', 'noon,1', /Not a time: "noon"/],
  ['no time', ',1', /Not a time: ""/],
  ['a bad value', '1002,abc', /not a number: "abc"/],
  ['no value', '1002,', /the value is empty/],
  ['NaN', '1002,NaN', /not a number: "NaN"; .*null means no data$/],
  ['Infinity', '1002,Infinity', /not a number.*null means no data$/],
  ['a number beyond doubles', '1002,1e999', /./],
  ['a quote left open', '1002,"1', /quotes do not match/],
  ['a quote inside', '1002,1"1', /quotes do not match/],
  ['an incomplete group', '1002,"{""m"":1}"', /./],
  ['an older time', '999,1', /"append --allow-late" adds late data$/],
  ['a time out of range', '99999999999999999999,1', /Not a time/],
];

const BAD_NDJSON_LINES: readonly (readonly [string, string, RegExp])[] = [
  ['half an object', '{"t":1002,', /not JSON/],
  ['a list', '[1002,1]', /expected \{"t"/],
  ['no time', '{"v":1}', /"t" is missing/],
  ['no value', '{"t":1002}', /"v" is missing/],
  ['an unknown key', '{"t":1002,"v":1,"w":1}', /unknown key "w"/],
  ['text as a value', '{"t":1002,"v":"1"}', /./],
  ['a boolean', '{"t":1002,"v":true}', /./],
  ['null as a time', '{"t":null,"v":1}', /"t" is missing/],
  ['NaN', '{"t":1002,"v":NaN}', /not JSON.*null means no data$/],
];

const CASES = [
  ...BAD_CSV_LINES.map((bad) => ['CSV', 'timestamp,value\n1001,1\n', '1003,3\n', ...bad] as const),
  ...BAD_NDJSON_LINES.map(
    (bad) => ['NDJSON', '{"t":1001,"v":1}\n\n', '{"t":1003,"v":3}\n', ...bad] as const,
  ),
];

describe('a bad line', () => {
  test.each(CASES)('of %s (%#) ends the input with its number and reason', async (...row) => {
    const [, before, after, , line, reason] = row;
    const result = await store.cli(['append', streamId], { stdin: `${before}${line}\n${after}` });
    expect(result).toMatchObject({ exitCode: 3, stdout: '' });
    expect(result.stderr).toMatch(/^datastream: line 3: [^\n]+; 1 datapoint appended before it\n$/);
    const text = /line 3: (.+); 1 datapoint/.exec(result.stderr)![1];
    expect(text).toMatch(reason);
    expect(await values()).toEqual([1]);
  });

  test.each(CASES)('of %s (%#) can be skipped', async (...row) => {
    const [, before, after, , line] = row;
    const stdin = `${before}${line}\n${after}`;
    const result = await store.cli(['append', streamId, '--skip-errors'], { stdin });
    expect(result).toMatchObject({ exitCode: 4, stdout: '2 datapoints appended\n' });
    expect(result.stderr).toMatch(
      /^datastream: line 3: [^\n]+ \(skipped\)\ndatastream: 1 bad line skipped\n$/,
    );
    expect(await values()).toEqual([1, 3]);
  });

  test('deep in a batch is found, and everything before it is stored', async () => {
    const line = (i: number): string => (i === 6789 ? '5,5' : `${100_000 + i},${i}`);
    const stdin = Array.from({ length: 12_000 }, (_, i) => line(i)).join('\n');
    const result = await store.cli(['append', streamId], { stdin });
    expect(result.exitCode).toBe(3);
    expect(result.stderr).toMatch(/line 6790: .+; 6789 datapoints appended before it/);
    expect(await values()).toHaveLength(6789);
  });

  test('is not there when late datapoints are allowed', async () => {
    const result = await store.cli(['append', streamId, '--allow-late'], {
      stdin: '1001,1\r\n1003,3\r\n1002,2',
    });
    expect(result).toMatchObject({ exitCode: 0, stdout: '3 datapoints appended\n' });
    expect(await values()).toEqual([1, 2, 3]);
  });
});

test('the format can be told, and empty input is none', async () => {
  const csv = await store.cli(['append', streamId, '--format', 'ndjson'], { stdin: '1,2\n' });
  expect(csv.exitCode).toBe(3);
  const empty = await store.cli(['append', streamId], { stdin: '' });
  expect(empty).toMatchObject({ exitCode: 0, stdout: '0 datapoints appended\n' });
});

test('bytes of one character may come in two chunks', async () => {
  const argv = ['ensure', '--query', 'm=n', '--downsamplers', 'count', '--type', 'nominal'];
  streamId = (await store.cli([...argv, '--granularity', 'seconds'])).stdout.trim();
  const bytes = Buffer.from('\ufeff1001,"žir"\n1002,žir\n');
  const stdin = Readable.from(Array.from(bytes, (byte) => Buffer.from([byte])));
  expect((await store.cli(['append', streamId], { stdin })).stdout).toBe('2 datapoints appended\n');
  expect(await values()).toEqual(['žir', 'žir']);
});

describe('input that breaks off', () => {
  /** 10,000 lines are a batch, which is stored; what comes after it is not. */
  const LINES = Array.from({ length: 10_500 }, (_, i) => `${100_000 + i},${i}\n`).join('');

  test('by Ctrl-C says how many datapoints were stored', async () => {
    const abort = new AbortController();
    const stdin = Readable.from(
      (async function* () {
        yield LINES;
        abort.abort();
        yield '1,2\n';
      })(),
    );
    const result = await store.cli(['append', streamId], { stdin, signal: abort.signal });
    expect(result.exitCode).toBe(130);
    const stored = (await values()).length;
    expect(result.stderr).toBe(
      `datastream: interrupted; ${stored} datapoints appended before it\n`,
    );
  });

  test('by a failure says so, too, and keeps its exit code', async () => {
    const failure = Object.assign(new Error('disk gone.'), { code: 'EIO', syscall: 'read' });
    const stdin = new PassThrough({ highWaterMark: 2 ** 20 });
    stdin.write(LINES);
    const reading = store.cli(['append', streamId], { stdin });
    stdin.once('drain', () => stdin.destroy(failure));
    stdin.write('x'.repeat(2 ** 20));
    expect(await reading).toMatchObject({
      exitCode: 6,
      stderr: 'datastream: disk gone; 10000 datapoints appended before it\n',
    });
    expect(await values()).toHaveLength(10_000);
  });
});
