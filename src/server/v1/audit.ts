import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { decodeCursor, encodeCursor } from '../http/cursor.ts';
import { isoOf } from '../http/iso.ts';
import type { Service } from '../service.ts';
import { auditEntrySchema } from './schemas/access.ts';

const placeSchema = z.int().min(0);

/** Who changed what, for admins. */
export const auditRoutes: FastifyPluginCallbackZod<{ service: Service }> = (
  app,
  {
    service: {
      access: { audit },
    },
  },
  done,
) => {
  app.get(
    '/audit',
    {
      config: { access: 'admin' },
      schema: {
        tags: ['access'],
        summary: 'Reads the log of changes, newest first',
        querystring: z.strictObject({
          limit: z.coerce.number().int().min(1).max(1000).default(100),
          cursor: z.string().max(200).optional(),
          action: z.string().max(100).optional().describe('Such as `user.add`, or `user`.'),
        }),
        response: {
          200: z.object({ entries: z.array(auditEntrySchema), next: z.string().nullable() }),
        },
      },
    },
    ({ query: { limit, cursor, action } }) => {
      const { entries, nextBeforeSeq } = audit.page({
        limit,
        ...(cursor !== undefined && { beforeSeq: decodeCursor(cursor, placeSchema) }),
        ...(action !== undefined && {
          matches: (entry) => entry.action === action || entry.action.startsWith(`${action}.`),
        }),
      });
      return {
        entries: entries.map(({ atMs, actor, action: done, target, before, after }) => ({
          at: isoOf(atMs),
          actor,
          action: done,
          target,
          before: before as z.output<typeof auditEntrySchema>['before'],
          after: after as z.output<typeof auditEntrySchema>['after'],
        })),
        next: nextBeforeSeq === null ? null : encodeCursor(nextBeforeSeq),
      };
    },
  );

  done();
};
