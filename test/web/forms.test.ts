import { describe, expect, test } from '@jest/globals';
import { itemsOf } from '../../web/src/api/items-of.ts';
import { relatedStreams } from '../../web/src/chart/related-streams.ts';
import { conditionText, targetText } from '../../web/src/format/alert-rule.ts';
import { alertRule, NEW_RULE_TEXTS, textsOfRule } from '../../web/src/format/alert-rule-form.ts';
import { derivationLag } from '../../web/src/format/derivation-lag.ts';
import { sendSnippets, writeSnippet } from '../../web/src/format/send-snippets.ts';
import { tagRows, tagsOfRows } from '../../web/src/format/tag-rows.ts';
import { shortValueText, valueText, wholeValueText } from '../../web/src/format/value-text.ts';
import { isOutside, routeOf } from '../../web/src/router/routes.ts';
import { streamOf } from './streams.ts';

describe('tags in a form', () => {
  test('stay what they are', () => {
    const tags = { a: 'text', b: 7, c: '7', d: { e: [1, null] }, f: true, g: 'true', h: '' };
    expect(tagsOfRows(tagRows(tags))).toEqual(tags);
  });

  test('have names, each once', () => {
    expect(tagsOfRows([{ key: 0, name: ' ', text: '' }])).toEqual({});
    expect(() => tagsOfRows([{ key: 0, name: '', text: 'x' }])).toThrow('The value x has no name.');
    const twice = [
      { key: 0, name: 'a', text: '1' },
      { key: 1, name: 'a ', text: '2' },
    ];
    expect(() => tagsOfRows(twice)).toThrow('The tag a is there twice.');
  });
});

describe('lines to copy', () => {
  const target = { origin: 'http://h:1', streamId: 'id', value: '21.5', token: 'T' };
  test('send a datapoint in each language', () => {
    const snippets = sendSnippets(target);
    expect(snippets.map(({ language }) => language)).toEqual(['curl', 'Node', 'Python']);
    for (const { text } of snippets) {
      expect(text).toContain('http://h:1/api/v1/streams/id/data');
      expect(text).toContain('Bearer T');
      expect(text).toContain('21.5');
    }
  });

  test('name no token where none is wanted', () => {
    for (const { text } of sendSnippets({ ...target, token: null })) {
      expect(text).not.toMatch(/authorization/i);
    }
    expect(writeSnippet({ origin: 'http://h', token: null })).not.toContain('Bearer');
  });
});

describe('addresses', () => {
  test('are pages', () => {
    expect(routeOf('/')).toEqual({ page: 'streams' });
    expect(routeOf('/streams/a%20b/')).toEqual({ page: 'stream', id: 'a b' });
    expect(routeOf('/dashboards')).toEqual({ page: 'dashboards' });
    expect(routeOf('/dashboards/7')).toEqual({ page: 'dashboard', id: '7' });
    for (const path of ['/nothing', '/charts/x', '/streams/a/b']) {
      expect(routeOf(path)).toEqual({ page: 'unknown' });
    }
  });

  test('of the API are outside', () => {
    expect(isOutside('/api/v1/streams')).toBe(true);
    expect(isOutside('/docs')).toBe(true);
    expect(isOutside('/apiary')).toBe(false);
  });
});

describe('derived streams', () => {
  const source = streamOf('s', {}, { latestDatapoint: '2026-01-01T10:00:00Z' });
  const byId = new Map([['s', source]]);
  const derived = (latestDatapoint: string | null, pendingBackprocess = false) =>
    streamOf(
      'd',
      {},
      {
        latestDatapoint,
        pendingBackprocess,
        derivedFrom: {
          op: 'sum',
          args: {},
          sources: [{ name: null, stream: 's', granularity: 'minutes' }],
        },
      },
    );

  test('are behind their sources by more than some buckets, or are not', () => {
    expect(derivationLag(derived('2026-01-01T09:59:00Z'), byId)).toBeNull();
    expect(derivationLag(derived('2026-01-01T09:00:00Z'), byId)).toBe(3_600_000);
    expect(derivationLag(derived(null, true), byId)).toBe(Number.POSITIVE_INFINITY);
    expect(derivationLag(source, byId)).toBeNull();
    expect(derivationLag(derived('2026-01-01T09:00:00Z'), new Map())).toBeNull();
  });

  test('are shown where their sources may not be seen', () => {
    const secret = { name: null, stream: null, granularity: 'minutes' };
    const ofHidden = streamOf('h', {}, { derivedFrom: { op: 'sum', args: {}, sources: [secret] } });
    const behind = derived('2026-01-01T09:00:00Z');
    const { derivedFrom } = behind;
    const sources = [secret, ...derivedFrom!.sources];
    const mixed = { ...behind, derivedFrom: { ...derivedFrom!, sources } };
    expect(derivationLag(mixed, byId)).toBe(3_600_000);
    const all = [source, mixed, ofHidden, streamOf('alone')];
    const idsOf = (focus: string | null) => relatedStreams(all, focus).streams.map(({ id }) => id);
    expect(idsOf(null)).toEqual(['s', 'd', 'h']);
    expect(idsOf('s')).toEqual(['s', 'd']);
    expect(idsOf('h')).toEqual(['h']);
    expect(relatedStreams(all, null).edges).toEqual([{ from: 's', to: 'd' }]);
  });
});

test('answers are lists in one way or another', () => {
  expect(itemsOf([1], 'x')).toEqual([1]);
  expect(itemsOf({ x: [1] }, 'x')).toEqual([1]);
  expect(itemsOf({ y: [1] }, 'x')).toEqual([]);
  expect(itemsOf(null, 'x')).toEqual([]);
});

test.each([
  [21.5, '°C', '21.5 °C'],
  ['open', '', 'open'],
  [null, 'W', '–'],
  [{ v: [{ i: 1 }], e: [] }, '', '1 vertex, 0 edges'],
  [[1, 2], '', '[1,2]'],
])('the value %j in %j is %s', (value, unit, text) => {
  expect(valueText(value, unit)).toBe(text);
});

test.each([
  [0.000_564_123, 's', '0.000564 s', '0.000564123 s'],
  [-57_536, '', '−57\u2009536', '−57536'],
  [5_687_061_827, 'packets', '5.687 G packets', '5687061827 packets'],
  [1_234_567, '', '1.235 M', '1234567'],
  [3_050_000_001, 'B', '3.05 GB', '3050000001 B'],
  [1.5e21, '°C', '1.50e+21 °C', '1.5e+21 °C'],
  [null, 'W', '–', '–'],
])('the value %j in %j is %s in a list, and %s as a whole', (value, unit, short, whole) => {
  expect(shortValueText(value, unit)).toBe(short);
  expect(wholeValueText(value, unit)).toBe(whole);
});

describe('rules of alerts', () => {
  test('are made from a form, and said in words', () => {
    const stale = alertRule(
      { ...NEW_RULE_TEXTS, name: 'Silent', after: '30m ' },
      { query: { site: 'north' } },
    );
    expect(stale).toEqual({
      name: 'Silent',
      description: '',
      target: { query: { site: 'north' } },
      condition: { kind: 'stale', after: '30m' },
      severity: 'warning',
      destinations: [{ kind: 'log' }],
      notifyResolved: true,
    });
    expect(conditionText(stale['condition']!)).toBe('no datapoint for 30m');
    expect(targetText(stale['target']!)).toBe('site=north');
    const above = alertRule(
      {
        ...NEW_RULE_TEXTS,
        kind: 'above',
        limit: '5',
        clear: '4.5',
        level: 'minutes',
        lasting: '2m',
        severity: 'critical',
        webhook: 'https://h/x',
        email: 'a@b.example, c@d.example',
      },
      { query: {} },
    );
    expect(above).toMatchObject({
      condition: { above: 5, clear: 4.5, level: 'minutes', valueDownsampler: 'mean', for: '2m' },
      severity: 'critical',
      destinations: [
        { kind: 'log' },
        { kind: 'webhook', url: 'https://h/x' },
        { kind: 'email', to: ['a@b.example', 'c@d.example'] },
      ],
    });
    expect(conditionText(above['condition']!)).toBe('mean of minutes above 5, until 4.5, for 2m');
    expect(targetText(above['target']!)).toBe('all streams');
  });

  test.each([
    { kind: 'stale', after: '2h' },
    { kind: 'threshold', level: 'raw', below: -0.5 },
    {
      kind: 'threshold',
      level: 'shifts',
      valueDownsampler: 'median',
      above: 0,
      clear: -1,
      for: '5m',
    },
  ])('are the same again when nothing in their form was touched: %j', (condition) => {
    const rule = {
      name: 'Warm',
      description: 'Ask Ada.',
      severity: 'critical',
      target: { stream: 's' },
      condition,
      destinations: [
        { kind: 'webhook', url: 'https://h/x?a=1,2' },
        { kind: 'webhook', url: 'https://h/y' },
        { kind: 'email', to: ['a@b.example', 'c@d.example'] },
      ],
      notifyResolved: false,
    };
    expect(alertRule(textsOfRule(rule), rule.target)).toEqual(rule);
    const told = { ...rule, destinations: [{ kind: 'log' }], notifyResolved: true };
    expect(alertRule(textsOfRule(told), told.target)).toEqual(told);
  });
});
