import { z } from 'zod';
import { durationOf } from '../../model/duration.ts';
import type { Tags } from '../../model/tags.ts';
import { DURATION_SYNTAX } from '../../text/time.ts';
import { jsonSchema } from '../state/records/json.ts';

const DESTINATION_COUNT_MAX = 10;
const ADDRESS_COUNT_MAX = 20;

/** A length of time as text, kept as it was written. */
const duration = z
  .string()
  .max(50)
  .refine((text) => durationOf(text) !== null, `expected a duration, ${DURATION_SYNTAX}`);

const tags = z.record(z.string(), jsonSchema).transform((given) => given as Tags);

const target = z
  .union([z.strictObject({ stream: z.uuid() }), z.strictObject({ query: tags })])
  .describe('One stream, or all streams with these tags, each on its own.');

const stale = z.strictObject({
  kind: z.literal('stale'),
  after: duration.describe('How old the latest datapoint may be.'),
});

const threshold = z
  .strictObject({
    kind: z.literal('threshold'),
    level: z
      .string()
      .max(100)
      .default('raw')
      .describe('`raw`, or the name of a level, as in `minutes`.'),
    valueDownsampler: z.string().max(50).optional().describe('Of a level, as in `mean`.'),
    above: z.number().optional().describe('Raised by values above it.'),
    below: z.number().optional().describe('Raised by values below it.'),
    clear: z
      .number()
      .optional()
      .describe('Cleared by values that are not beyond it; else by those that would not raise it.'),
    for: duration.optional().describe('How long values must be beyond the threshold first.'),
  })
  .superRefine(({ level, valueDownsampler, above, below, clear }, context) => {
    const refuse = (field: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [field], message });
    if ((above === undefined) === (below === undefined)) {
      refuse('above', 'expected either "above" or "below"');
    }
    if (level === 'raw' && valueDownsampler !== undefined) {
      refuse(
        'valueDownsampler',
        'raw datapoints have none; expected the name of a level as "level"',
      );
    }
    if (level !== 'raw' && valueDownsampler === undefined) {
      refuse('valueDownsampler', 'expected one, as in "mean", as a level has several values');
    }
    if (clear !== undefined && above !== undefined && clear > above) {
      refuse('clear', `expected at most ${above}, which raises it`);
    }
    if (clear !== undefined && below !== undefined && clear < below) {
      refuse('clear', `expected at least ${below}, which raises it`);
    }
  });

const webhookUrl = z
  .url({ protocol: /^https?$/ })
  .max(2000)
  .refine((text) => {
    const { username, password } = new URL(text);
    return username === '' && password === '';
  }, 'expected a URL without credentials');

const destination = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('log') }),
  z.strictObject({ kind: z.literal('webhook'), url: webhookUrl }),
  z.strictObject({
    kind: z.literal('email'),
    to: z.array(z.email()).min(1).max(ADDRESS_COUNT_MAX),
  }),
]);

/** What raises and clears alerts, of which streams, and who is told. */
export const ruleDefinitionSchema = z.strictObject({
  description: z.string().max(2000).default(''),
  severity: z.enum(['info', 'warning', 'critical']).default('warning'),
  target,
  condition: z.union([stale, threshold]),
  destinations: z.array(destination).max(DESTINATION_COUNT_MAX).default([]),
  notifyResolved: z.boolean().default(true).describe('Whether destinations are told of the end.'),
});

export type RuleDefinition = z.output<typeof ruleDefinitionSchema>;

export type Threshold = Extract<RuleDefinition['condition'], { kind: 'threshold' }>;
export type Destination = RuleDefinition['destinations'][number];
