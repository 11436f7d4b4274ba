import type { Json } from '../api/types.ts';
import { isObject } from '../chart/visualization.ts';
import { tagValueText } from './stream-title.ts';

/** What raises an alert, in words. */
export function conditionText(condition: Json): string {
  if (!isObject(condition)) return '';
  if (condition['kind'] === 'stale') return `no datapoint for ${text(condition['after'])}`;
  const side = condition['above'] !== undefined ? 'above' : 'below';
  const level = condition['level'] ?? 'raw';
  const what =
    level === 'raw' ? 'values' : `${text(condition['valueDownsampler'])} of ${text(level)}`;
  return [
    `${what} ${side} ${text(condition[side])}`,
    condition['clear'] === undefined ? '' : `until ${text(condition['clear'])}`,
    condition['for'] === undefined ? '' : `for ${text(condition['for'])}`,
  ]
    .filter((part) => part !== '')
    .join(', ');
}

/** Which streams a rule looks at, in words. */
export function targetText(target: Json): string {
  if (!isObject(target)) return '';
  const query = target['query'];
  if (!isObject(query)) return `stream ${text(target['stream'])}`;
  const words = Object.entries(query).map(([name, value]) => `${name}=${tagValueText(value)}`);
  return words.length === 0 ? 'all streams' : words.join(' ');
}

/** Where messages go, in words. */
export function destinationText(destination: Json): string {
  if (!isObject(destination)) return '';
  const { kind, url, to } = destination;
  if (kind === 'webhook') return `webhook ${text(url)}`;
  return kind === 'email' ? `e-mail to ${text(to)}` : 'the log';
}

function text(value: Json | undefined): string {
  return value === undefined ? '' : tagValueText(value);
}
