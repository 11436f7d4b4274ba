import type { Difference } from '../../api/types.ts';
import { exactJson, timeText } from '../../text/exact-json.ts';

const LINE_LENGTH_MAX = 160;
const VALUE_LENGTH_MAX = 36;
const MORE_LENGTH_MAX = ' and 99 more'.length;

/** Characters that stay in front of the first one that differs, where values are cut. */
const COMMON_LENGTH_SHOWN = 8;

/**
 * One line of at most 160 characters on a difference: where it is, and the stored and the expected value
 * of the columns that differ. Long values are cut, from where they differ on.
 */
export function differenceLine({
  streamId,
  granularity,
  timestamp,
  stored,
  expected,
}: Difference): string {
  const texts = isRow(stored) && isRow(expected) ? columnTexts(stored, expected) : null;
  let line = `${streamId} ${granularity} ${timeText(timestamp)}`;
  if (texts === null) return clip(`${line} ${pairText(stored, expected)}`, LINE_LENGTH_MAX);
  for (const [i, text] of texts.entries()) {
    const longer = `${line}${i === 0 ? '' : ','} ${text}`;
    const isTooLong = longer.length > LINE_LENGTH_MAX - MORE_LENGTH_MAX;
    if (i > 0 && isTooLong) return `${line} and ${texts.length - i} more`;
    line = clip(longer, LINE_LENGTH_MAX - MORE_LENGTH_MAX);
  }
  return line;
}

type Row = Readonly<Record<string, unknown>>;

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function columnTexts(stored: Row, expected: Row): readonly string[] {
  return [...new Set([...Object.keys(stored), ...Object.keys(expected)])]
    .filter((name) => exactJson(stored[name] ?? null) !== exactJson(expected[name] ?? null))
    .map((name) => `${name} ${pairText(stored[name], expected[name])}`);
}

function pairText(stored: unknown, expected: unknown): string {
  const [a, b] = [stored, expected].map((value) =>
    value === null || value === undefined ? 'nothing' : exactJson(value),
  ) as [string, string];
  const commonLength = [...a].findIndex((character, i) => character !== b[i]);
  const isLong = Math.max(a.length, b.length) > VALUE_LENGTH_MAX;
  const from = isLong ? Math.max(commonLength - COMMON_LENGTH_SHOWN, 0) : 0;
  return `stored ${cut(a, from)} expected ${cut(b, from)}`;
}

function cut(text: string, from: number): string {
  return clip(from > 0 ? `…${text.slice(from)}` : text, VALUE_LENGTH_MAX);
}

function clip(text: string, lengthMax: number): string {
  return text.length > lengthMax ? `${text.slice(0, lengthMax - 1)}…` : text;
}
