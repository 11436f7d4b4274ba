import { readFileSync } from 'node:fs';

import { beforeAll, describe, expect, test } from '@jest/globals';

import { OPERATOR_NAMES, operatorOf } from '../../src/derive/registry.ts';
import { runScript } from './script.ts';

const page = readFileSync(
  new URL('../../docs/reference/operators.md', import.meta.url),
  'utf8',
).replaceAll('\r\n', '\n');

const sections = page
  .split(/^## /m)
  .slice(1)
  .map((text) => ({ name: text.slice(0, text.indexOf('\n')).trim(), text }));

beforeAll(async () => {
  for (const name of OPERATOR_NAMES) await operatorOf(name).load?.();
});

describe('the reference page of operators', () => {
  test('has the operators of the registry as its headings, in the same order', () => {
    expect(sections.map(({ name }) => name)).toEqual(OPERATOR_NAMES);
  });

  test.each(sections)('says all there is to say about $name', ({ text }) => {
    const labels = [...text.matchAll(/^- \*\*(\w+)\*\*:/gm)].map(([, label]) => label);
    expect(labels).toEqual(['Sources', 'Arguments', 'Gives', 'Null', 'Warnings', 'Reach']);
  });

  test.each(sections)('has an example of $name that gives what it says', ({ name, text }) => {
    const examples = [...text.matchAll(/^```derive\n(.*?)^```/gms)].map(([, script]) => script!);
    expect(examples.join('\n')).toContain(` ${name} `);
    for (const expectation of examples.flatMap(runScript)) {
      expect(expectation.actual).toEqual(expectation.expected);
      expect(expectation.warningCount).toBe(expectation.expectedWarningCount);
    }
  });
});
