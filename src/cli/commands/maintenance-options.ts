import type { Command } from 'commander';
import type { BackprocessOptions } from '../../api/types.ts';
import { usageError } from '../cli-error.ts';
import { parseCount, parseShard } from '../options.ts';
import { parseDuration } from '../parse/time.ts';

const LEASE_DURATION_MIN_MS = 1000;

/** What every command of maintenance can be told. */
export interface MaintenanceCommandOptions {
  readonly every?: number;
  readonly concurrency?: number;
  readonly shard?: { readonly index: number; readonly count: number };
  readonly lease?: number;
}

/** Adds the options to the command. */
export function withMaintenanceOptions(command: Command): Command {
  return command
    .option('--every <duration>', 'repeat until Ctrl-C, e.g. 10s', parseDuration)
    .option('--concurrency <count>', 'streams worked on at once', parseCount)
    .option('--shard <i/n>', 'only the i-th of n parts of the streams, e.g. 1/4', parseShard)
    .option(
      '--lease <duration>',
      'how long a run that dies keeps others from its stream (default: 2m)',
      parseLease,
    );
}

/** As the library takes them. */
export function sharedOptions({
  concurrency,
  shard,
}: MaintenanceCommandOptions): Pick<BackprocessOptions, 'concurrency' | 'shard'> {
  return {
    ...(concurrency !== undefined && { concurrency }),
    ...(shard !== undefined && { shard }),
  };
}

function parseLease(text: string): number {
  const durationMs = parseDuration(text);
  if (Number.isSafeInteger(durationMs) && durationMs >= LEASE_DURATION_MIN_MS) return durationMs;
  throw usageError(`Expected at least 1s, in whole milliseconds, not ${JSON.stringify(text)}.`);
}
