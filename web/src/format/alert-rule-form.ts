import type { AlertRule } from '../api/alerts.ts';
import type { Json } from '../api/types.ts';
import { isObject } from '../chart/visualization.ts';

/** What stands in the controls of a rule's form, by their names; a box that is not ticked is not there. */
export type RuleTexts = Readonly<Record<string, string>>;

/** Of a form that nobody has touched. */
export const NEW_RULE_TEXTS: RuleTexts = {
  kind: 'stale',
  after: '30m',
  level: 'raw',
  valueDownsampler: 'mean',
  severity: 'warning',
  log: 'on',
  notifyResolved: 'on',
};

/** A rule from what was typed into its form, but for whether it is on. */
export function alertRule(texts: RuleTexts, target: Json): { readonly [name: string]: Json } {
  const { name = '', description = '', severity = 'warning' } = texts;
  return {
    name,
    description: description.trim(),
    severity,
    target,
    condition: conditionOf(texts),
    destinations: destinationsOf(texts),
    notifyResolved: texts['notifyResolved'] !== undefined,
  };
}

/** What makes the same rule again. */
export function textsOfRule(
  rule: Pick<AlertRule, 'name' | 'description' | 'severity'> &
    Pick<AlertRule, 'condition' | 'destinations' | 'notifyResolved'>,
): RuleTexts {
  const { name, description, severity, notifyResolved } = rule;
  const { log: _log, notifyResolved: _notifyResolved, ...untouched } = NEW_RULE_TEXTS;
  return {
    ...untouched,
    name,
    description,
    severity,
    ...textsOfCondition(rule.condition),
    ...textsOfDestinations(rule.destinations),
    ...(notifyResolved && { notifyResolved: 'on' }),
  };
}

function conditionOf({
  kind = '',
  after = '',
  limit = '',
  clear = '',
  level = 'raw',
  valueDownsampler = 'mean',
  lasting = '',
}: RuleTexts): Json {
  if (kind === 'stale') return { kind, after: after.trim() };
  return {
    kind: 'threshold',
    level,
    ...(level !== 'raw' && { valueDownsampler }),
    [kind]: Number(limit),
    ...(clear !== '' && { clear: Number(clear) }),
    ...(lasting.trim() !== '' && { for: lasting.trim() }),
  };
}

function textsOfCondition(condition: Json): RuleTexts {
  if (!isObject(condition)) return {};
  const { kind, after, above, below, clear, level, valueDownsampler, for: lasting } = condition;
  if (kind === 'stale') return texts({ kind, after });
  const limit =
    above === undefined ? { kind: 'below', limit: below } : { kind: 'above', limit: above };
  return texts({ ...limit, clear, level, valueDownsampler, lasting });
}

function destinationsOf({ log, webhook = '', email = '' }: RuleTexts): Json {
  const addresses = wordsOf(email, /[\s,;]+/);
  return [
    ...(log === undefined ? [] : [{ kind: 'log' }]),
    ...wordsOf(webhook, /\s+/).map((url) => ({ kind: 'webhook', url })),
    ...(addresses.length === 0 ? [] : [{ kind: 'email', to: addresses }]),
  ];
}

function textsOfDestinations(destinations: Json): RuleTexts {
  const all = Array.isArray(destinations) ? destinations.filter(isObject) : [];
  const of = (wanted: string) => all.filter(({ kind }) => kind === wanted);
  return {
    ...(of('log').length > 0 && { log: 'on' }),
    webhook: of('webhook')
      .map(({ url }) => String(url))
      .join(' '),
    email: of('email')
      .flatMap(({ to }) => to)
      .join(', '),
  };
}

function wordsOf(text: string, between: RegExp): readonly string[] {
  return text.split(between).filter((word) => word !== '');
}

/** Those that are there. */
function texts(values: Readonly<Record<string, Json | undefined>>): RuleTexts {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)]],
    ),
  );
}
