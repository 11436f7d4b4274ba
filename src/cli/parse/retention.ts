import type { RetentionOptions } from '../../api/types.ts';
import { usageError } from '../cli-error.ts';

const FOR_EVER = 'forever';

/**
 * Reads `raw=30d,minutes=1y,days=forever`; nothing for `forever` alone. What is kept, and for how long, is checked by
 * the engine. @throws {CliError} USAGE when it is not that.
 */
export function parseRetention(text: string): RetentionOptions {
  if (text === FOR_EVER) return {};
  const retention: Record<string, string | null> = {};
  for (const part of text.split(',')) {
    const [, name, duration] = /^\s*([^=\s]+)=(\S+)\s*$/.exec(part) ?? [];
    if (name === undefined || duration === undefined) {
      throw usageError(
        `Not a retention: ${JSON.stringify(text)}; expected e.g. raw=30d,minutes=1y,days=forever, or forever.`,
      );
    }
    retention[name] = duration === FOR_EVER ? null : duration;
  }
  return retention;
}
