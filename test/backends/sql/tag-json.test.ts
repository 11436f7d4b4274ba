import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Client } from 'pg';
import { escapeText, isExactInSql, tagJson } from '../../../src/backends/sql/tag-json.ts';
import { matchesTags, type Tags } from '../../../src/model/tags.ts';
import { describeWith } from '../../servers/available.ts';

/** Texts of what hurts: NUL, halves of a surrogate pair, whole ones, backslashes and what follows them. */
const text = fc.string({
  unit: fc.constantFrom('\u0000', '\ud83d', '\ude00', '\\', 'u', '0', "'", '"', 'a', 'č'),
  maxLength: 6,
});
const leaf = fc.oneof(
  text,
  fc.constant(null),
  fc.boolean(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
);
const { tags } = fc.letrec((tie) => ({
  tags: fc.dictionary(text, tie('value'), { maxKeys: 3 }),
  value: fc.oneof(
    { depthSize: 'small' },
    leaf,
    tie('tags'),
    fc.array(tie('value'), { maxLength: 3 }),
  ),
})) as unknown as { tags: fc.Arbitrary<Tags> };

describe('escaped text', () => {
  test('is one-to-one, and has nothing in it that PostgreSQL refuses', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(escapeText(a) === escapeText(b)).toBe(a === b);
        expect(Buffer.from(escapeText(a)).toString()).toBe(escapeText(a));
        expect(escapeText(a)).not.toContain('\u0000');
      }),
    );
  });

  test('leaves ordinary texts alone', () => {
    const ordinary = `x'; DROP TABLE streams; --\n",a=1 čšž 😀`;
    expect(escapeText(ordinary)).toBe(ordinary);
  });
});

describeWith('postgresql', ({ url }) => {
  test('jsonb containment finds whatever matches, and without lists nothing else', async () => {
    const client = new Client({ connectionString: url });
    await client.connect();
    const isContained = async (present: Tags, query: Tags): Promise<unknown> => {
      const values = [tagJson(present), tagJson(query)];
      return (await client.query('SELECT $1::jsonb @> $2::jsonb AS is', values)).rows[0].is;
    };
    await fc.assert(
      fc.asyncProperty(tags, tags, fc.nat(3), async (present, other, depth) => {
        // Unrelated tags hardly ever match: parts of the tags do.
        const parts = Object.entries(present).slice(0, depth);
        for (const query of [other, Object.fromEntries(parts), present]) {
          const isMatch = matchesTags(present, query);
          const is = await isContained(present, query);
          if (isMatch) expect(is).toBe(true);
          if (isExactInSql(query)) expect(is).toBe(isMatch);
        }
      }),
      { numRuns: 300 },
    );
    await client.end();
  });
});
