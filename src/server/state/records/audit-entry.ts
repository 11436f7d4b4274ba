import { z } from 'zod';
import type { Json } from '../../../model/tags.ts';
import { jsonSchema, timeMsSchema } from './json.ts';

/** Who changed what, from where, and how it was before and after; never with secrets. */
export interface AuditEntry {
  readonly atMs: number;
  readonly actor: {
    readonly kind: string;
    readonly userId: string | null;
    readonly name: string;
    /** Network address; null: the command line, or the service itself. */
    readonly address: string | null;
  };
  /** Such as `user.add`. */
  readonly action: string;
  readonly target: { readonly kind: string; readonly id: string; readonly name: string | null };
  readonly before: Json;
  readonly after: Json;
}

export const auditEntrySchema: z.ZodType<AuditEntry> = z.object({
  atMs: timeMsSchema,
  actor: z.object({
    kind: z.string(),
    userId: z.string().nullable(),
    name: z.string(),
    address: z.string().nullable(),
  }),
  action: z.string(),
  target: z.object({ kind: z.string(), id: z.string(), name: z.string().nullable() }),
  before: jsonSchema,
  after: jsonSchema,
});
