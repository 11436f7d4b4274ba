import { z } from 'zod';
import { isTagObject } from '../../../model/tags.ts';
import { jsonSchema } from '../../state/records/json.ts';

const instant = z.string().describe('ISO 8601, in UTC.');
const nameSchema = z.string().min(1).max(200);

/** A chart: of streams that somebody chose, or of all that a search finds, also later. */
const chartSchema = z
  .object({
    title: z.string().max(200).optional(),
    streams: z.array(z.string().min(1).max(100)).optional(),
    query: z.string().trim().min(1).max(1000).optional(),
  })
  .refine(({ streams, query }) => (streams === undefined) !== (query === undefined), {
    error: 'expected either streams (ids) or query (a search)',
  });

const chartsSchema = z.array(chartSchema);

/**
 * What a dashboard shows. Its pages draw what is in `charts`; whatever else there is, they leave alone. It is checked
 * when it is stored, and not when it is read: what was stored before there was something to check still opens.
 */
const contentSchema = jsonSchema
  .check(({ value, issues }) => {
    if (!isTagObject(value) || value['charts'] === undefined) return;
    for (const issue of chartsSchema.safeParse(value['charts']).error?.issues ?? []) {
      issues.push({
        code: 'custom',
        message: issue.message,
        path: ['charts', ...issue.path],
        input: value,
      });
    }
  })
  .describe(
    'What it shows: `{"charts": [{"title": "Cellar", "streams": ["…"]}, {"query": "site=north load"}]}`. A chart is of ' +
      'streams by their ids, or of those that a search finds, also later: words are in some tag, ' +
      '`name=value`, `name!=value`, `name~part`, `name>number` and the like ask for one. Whoever looks at it sees ' +
      'the streams that he may see.',
  );

export const newDashboardSchema = z.strictObject({
  name: nameSchema,
  isShared: z.boolean().default(false).describe('Whether everybody who is signed in sees it.'),
  content: contentSchema,
});

export const dashboardSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    isShared: z.boolean(),
    isOwn: z.boolean(),
    content: jsonSchema,
    createdAt: instant,
    updatedAt: instant,
  })
  .meta({ id: 'Dashboard' });
