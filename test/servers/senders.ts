import { describe, test } from '@jest/globals';
import { findProgram, isProgram } from './files.ts';

/** Programs that send to the service, as Debian has them. */
const SENDERS = {
  prometheus: { variable: 'PROMETHEUS_PATH', folders: ['/usr/bin'] },
  collectd: { variable: 'COLLECTD_PATH', folders: ['/usr/sbin'] },
} as const;

type SenderName = keyof typeof SENDERS;

/**
 * Gives `describe(name, …)` the path of a program that sends to the service. Where it is not on this machine, there
 * is one skipped test whose name says so, or, when REQUIRE_SERVERS is 1, one that fails. TEST_SERVERS leaves it out,
 * unless it names it.
 */
export function describeWithSender(name: SenderName, body: (path: string) => void): void {
  const wanted = process.env['TEST_SERVERS'];
  const isLeftOut = wanted !== undefined && wanted !== '' && !wanted.split(',').includes(name);
  const path = pathOf(name);
  const { variable } = SENDERS[name];
  const reason = isLeftOut
    ? `${name} is left out by TEST_SERVERS`
    : path === null && `no ${name} on PATH, no ${variable}`;
  if (path !== null && !isLeftOut) {
    describe(name, () => body(path));
  } else if (process.env['REQUIRE_SERVERS'] === '1') {
    test(`${name} is covered`, () => {
      throw new Error(`REQUIRE_SERVERS is 1, and ${reason}`);
    });
  } else {
    describe(name, () => {
      test.skip(`is not covered: ${reason}`, () => {});
    });
  }
}

function pathOf(name: SenderName): string | null {
  const { variable, folders } = SENDERS[name];
  const given = process.env[variable];
  if (given === undefined || given === '') return findProgram(name, folders);
  return isProgram(given) ? given : null;
}
