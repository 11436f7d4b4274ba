import { TIME_SYNTAX, timeMsOf } from '../../text/time.ts';
import { Problem } from './problem.ts';

/**
 * Reads an instant of a request: ISO 8601, epoch seconds or milliseconds, or relative to now.
 * @throws {Problem} 400 naming the parameter.
 */
export function instant(text: string | number, { field, now }: { field: string; now: Date }): Date {
  const timeMs = timeMsOf(String(text), now);
  if (timeMs !== null) return new Date(timeMs);
  throw new Problem(
    400,
    `${field}: not a time: ${JSON.stringify(text)}; expected ${TIME_SYNTAX}.`,
    {
      code: 'INVALID_TIMESTAMP',
      field,
    },
  );
}
