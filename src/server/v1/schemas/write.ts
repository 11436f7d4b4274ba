import { z } from 'zod';
import { flagSchema } from './data.ts';

export const writeQuerySchema = z.strictObject({
  duplicates: z
    .enum(['skip', 'replace', 'keep'])
    .optional()
    .describe(
      'A datapoint at a timestamp that the stream has: `skip` (default) leaves out what is stored already and keeps ' +
        'other values beside it, `replace` puts it in the place of what is there, `keep` stores it in any case.',
    ),
  strict: flagSchema.optional().describe('Whether one problem is enough for nothing to be stored.'),
  epoch: z
    .enum(['any', 'milliseconds'])
    .default('any')
    .describe('Numbers as timestamps: `any` are seconds where they are below 1e11.'),
  header: flagSchema.default(true).describe('CSV: `false` if the columns are timestamp and value.'),
  values: z.enum(['numeric', 'nominal']).default('numeric').describe('CSV: what values are.'),
});

/** What became of a write. */
export const writeOutcomeSchema = z
  .object({
    accepted: z.number().describe('Stored now.'),
    duplicate: z.number().describe('Stored before.'),
    dropped: z.number().describe('Not stored: as many as there were problems.'),
    last: z.string().nullable().describe('The latest timestamp of what is stored.'),
    problems: z
      .array(z.object({ line: z.number().nullable(), code: z.string(), detail: z.string() }))
      .describe('The first of them.'),
  })
  .meta({ id: 'WriteOutcome' });
