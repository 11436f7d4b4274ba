import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { decodeCursor, encodeCursor } from '../http/cursor.ts';
import { instant } from '../http/instants.ts';
import { isoOf } from '../http/iso.ts';
import type { Service } from '../service.ts';
import type { AuditEntry } from '../state/records/audit-entry.ts';
import { auditEntrySchema } from './schemas/access.ts';

const placeSchema = z.int().min(0);

/** Who changed what, for admins. */
export const auditRoutes: FastifyPluginCallbackZod<{ service: Service }> = (
  app,
  {
    service: {
      access: { audit },
      now,
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
          actor: z.string().max(200).optional().describe('Part of the name of who did it.'),
          target: z
            .string()
            .max(200)
            .optional()
            .describe('Part of the name, or the id, of what it was done to.'),
          from: z.string().max(50).optional().describe('A time, or as in `-7d`.'),
          to: z.string().max(50).optional().describe('Excluded. A time, or as in `-1h`.'),
        }),
        response: {
          200: z.object({ entries: z.array(auditEntrySchema), next: z.string().nullable() }),
        },
      },
    },
    ({ query: { limit, cursor, from, to, ...wanted } }) => {
      const instantMs = (text: string | undefined, field: string): number | undefined =>
        text === undefined ? undefined : instant(text, { field, now: now() }).getTime();
      const { entries, nextBeforeSeq } = audit.page({
        limit,
        sinceMs: instantMs(from, 'from'),
        matches: entryFilter({ ...wanted, endMs: instantMs(to, 'to') }),
        ...(cursor !== undefined && { beforeSeq: decodeCursor(cursor, placeSchema) }),
      });
      return {
        entries: entries.map(({ seq, atMs, actor, action: done, target, before, after }) => ({
          seq,
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

/** What is asked for of an entry; what is absent is not. */
function entryFilter({
  action,
  actor,
  target,
  endMs = Number.POSITIVE_INFINITY,
}: {
  readonly action?: string | undefined;
  readonly actor?: string | undefined;
  readonly target?: string | undefined;
  readonly endMs?: number | undefined;
}): (entry: AuditEntry) => boolean {
  const isPart = (part: string | undefined, text: string): boolean =>
    part === undefined || text.toLowerCase().includes(part.toLowerCase());
  return (entry) =>
    entry.atMs < endMs &&
    (action === undefined || entry.action === action || entry.action.startsWith(`${action}.`)) &&
    isPart(actor, entry.actor.name) &&
    (entry.target.id === target || isPart(target, entry.target.name ?? ''));
}
