import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { uncoveredReason } from '../servers/available.ts';
import {
  type BackendName,
  givenUrlVariable,
  SERVER_NAMES,
  SERVERS_OF_BACKEND,
  sharedUrlVariable,
} from '../servers/registry.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'bench', 'main.mjs');

const BACKENDS = Object.keys(SERVERS_OF_BACKEND) as BackendName[];
/** What the run has no servers for is left out: the bench would start servers of its own. */
const COVERED = ['embedded', ...BACKENDS.filter((backend) => uncoveredReason(backend) === null)];

interface Measured {
  readonly marks: readonly { readonly name: string; readonly figures: Record<string, number> }[];
  readonly hashes: {
    readonly raw: string;
    readonly extremes: string;
    readonly levels: string | null;
  };
}

/** The servers that the test run shares, as the bench is told of servers. */
function sharedServers(): Record<string, string> {
  return Object.fromEntries(
    SERVER_NAMES.flatMap((server) => {
      const url = process.env[sharedUrlVariable(server)];
      return url === undefined ? [] : [[givenUrlVariable(server), url]];
    }),
  );
}

describe('the bench of the backends', () => {
  test('runs at its smoke size, and every store gives back the same numbers', () => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [MAIN, '--backends', '--smoke', '--json', '--only', COVERED.join()],
      { encoding: 'utf8', env: { ...process.env, ...sharedServers() } },
    );
    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
    const { backends } = JSON.parse(stdout) as { backends: Record<string, Measured> };
    expect(Object.keys(backends)).toEqual(COVERED);
    const expected = backends['embedded']!.hashes;
    for (const { marks, hashes } of Object.values(backends)) {
      expect(marks.length).toBeGreaterThanOrEqual(7);
      const figures = marks.flatMap((mark) => Object.values(mark.figures));
      expect(figures.filter((figure) => !(figure > 0))).toEqual([]);
      // A server that computes levels may add up in another order.
      const levels = hashes.levels === null ? null : expected.levels;
      expect(hashes).toEqual({ ...expected, levels });
    }
  });

  test('names the backends when it is asked for one that is not there', () => {
    const { status, stderr } = spawnSync(
      process.execPath,
      [MAIN, '--backends', '--smoke', '--only', 'embeded'],
      { encoding: 'utf8' },
    );
    expect(status).not.toBe(0);
    for (const backend of ['embedded', ...BACKENDS]) expect(stderr).toContain(backend);
  });
});
