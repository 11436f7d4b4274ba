import type { Json, Tags } from '../api/types.ts';
import { isObject } from '../chart/visualization.ts';
import { tagValueText } from './stream-title.ts';

type Typed = Readonly<Record<string, string>>;

/** A rule, without its name, from what was typed into its form. */
export function alertRule(
  { kind = '', after = '', limit = '', clear = '', level = 'raw', lasting = '', ...rest }: Typed,
  tags: Tags,
): { readonly [name: string]: Json } {
  const condition: Json =
    kind === 'stale'
      ? { kind, after: after.trim() }
      : {
          kind: 'threshold',
          level,
          ...(level !== 'raw' && { valueDownsampler: 'mean' }),
          [kind]: Number(limit),
          ...(clear !== '' && { clear: Number(clear) }),
          ...(lasting.trim() !== '' && { for: lasting.trim() }),
        };
  return {
    target: { query: tags },
    condition,
    severity: rest['severity'] ?? 'warning',
    destinations: destinations(rest),
  };
}

function destinations({ webhook = '', email = '' }: Typed): Json {
  const addresses = email.split(/[\s,;]+/).filter((address) => address !== '');
  return [
    { kind: 'log' },
    ...(webhook.trim() === '' ? [] : [{ kind: 'webhook', url: webhook.trim() }]),
    ...(addresses.length === 0 ? [] : [{ kind: 'email', to: addresses }]),
  ];
}

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
