import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { mediaTypeOf } from '../../http/body.ts';
import { ARCHIVE_ROW_COUNT } from './admin-pages.ts';
import { ApiError } from './errors.ts';
import { readingsOfCsv, readingsOfJson } from './readings.ts';
import type { Reading } from './segments.ts';
import { configSchema, notesSchema, slugSchema, titleSchema } from './series-config.ts';

const newSeriesSchema = z.object({
  slug: slugSchema,
  title: titleSchema,
  notes: notesSchema.default(''),
  is_public: z.boolean().default(true),
  is_virtual: z.boolean().optional(),
  config: configSchema.optional(),
  equation: z.string().optional(),
});

const changesSchema = z.object({
  title: titleSchema.optional(),
  notes: notesSchema.optional(),
  is_public: z.boolean().optional(),
  equation: z.string().optional(),
});

export type NewSeries = z.output<typeof newSeriesSchema>;
export type Changes = z.output<typeof changesSchema>;

/** What a request wants of a series. */
export interface SeriesUpdate {
  /** Null: none are sent. */
  readonly readings: readonly Reading[] | null;
  readonly changes: Changes;
}

/** @throws {ApiError} 400 wrong-content-type, invalid-json, missing-field, invalid-field */
export function newSeriesOf(request: FastifyRequest): NewSeries {
  if (mediaTypeOf(request) !== 'application/json') {
    throw new ApiError(400, 'wrong-content-type', 'Expected a body of application/json.');
  }
  return checked(newSeriesSchema, jsonOf(request));
}

/** Whether it is what a form sends that has no file. */
export function isForm(request: FastifyRequest): boolean {
  return mediaTypeOf(request) === 'application/x-www-form-urlencoded';
}

/** What the form of a new series says. @throws {ApiError} 400 missing-field, invalid-field */
export function newSeriesOfForm(request: FastifyRequest): NewSeries {
  const form = new URLSearchParams(bytesOf(request).toString());
  const text = (name: string): string => form.get(name)?.trim() ?? '';
  // What is left empty is missing, or is told to be no number.
  const number = (name: string): number | undefined =>
    text(name) === '' ? undefined : Number(text(name));
  const archives = Array.from({ length: ARCHIVE_ROW_COUNT }, (_, row) => ({
    aggregation_type: text(`archive_${row}_type`),
    aggregation: number(`archive_${row}_aggregation`),
    count: number(`archive_${row}_count`),
    threshold: number(`archive_${row}_threshold`),
  })).filter(({ aggregation, count }) => aggregation !== undefined || count !== undefined);
  const equation = text('equation');
  return checked(newSeriesSchema, {
    slug: text('slug'),
    title: text('title'),
    notes: text('notes'),
    is_public: form.has('is_public'),
    ...(equation === ''
      ? {
          config: {
            series_type: text('series_type'),
            interval: number('interval'),
            timezone_name: text('timezone_name'),
            start: text('start'),
            archives,
          },
        }
      : { is_virtual: true, equation }),
  });
}

/** A body of JSON, CSV, or a form with a file. @throws {ApiError} 400 */
export async function seriesUpdateOf(request: FastifyRequest): Promise<SeriesUpdate> {
  switch (mediaTypeOf(request)) {
    case 'application/json': {
      const body = jsonOf(request);
      const { readings } = body;
      return {
        readings: readings === undefined ? null : readingsOfJson(readings),
        changes: checked(changesSchema, body),
      };
    }
    case 'text/csv':
      return { readings: readingsOfCsv(bytesOf(request).toString()), changes: {} };
    case 'multipart/form-data':
      return formUpdate(request);
    default:
      throw new ApiError(
        400,
        'wrong-content-type',
        'Expected a body of application/json, text/csv or multipart/form-data.',
      );
  }
}

async function formUpdate(request: FastifyRequest): Promise<SeriesUpdate> {
  let form: FormData;
  try {
    const headers = { 'content-type': request.headers['content-type']! };
    form = await new Response(new Uint8Array(bytesOf(request)), { headers }).formData();
  } catch {
    throw new ApiError(400, 'invalid-form', 'The body is no multipart/form-data.');
  }
  const given = form.get('readings');
  const text = given === null || typeof given === 'string' ? given : await given.text();
  const fields = Object.fromEntries(
    ['title', 'notes'].flatMap((name) => {
      const value = form.get(name);
      return typeof value === 'string' ? [[name, value]] : [];
    }),
  );
  return {
    // A form whose file was not chosen sends an empty one.
    readings: text === null || text === '' ? null : readingsOfCsv(text),
    changes: checked(changesSchema, fields),
  };
}

function bytesOf({ body }: FastifyRequest): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0);
}

function jsonOf(request: FastifyRequest): Readonly<Record<string, unknown>> {
  let body: unknown;
  try {
    body = JSON.parse(bytesOf(request).toString());
  } catch {
    throw new ApiError(400, 'invalid-json', 'The body is no JSON.');
  }
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) {
    return body as Record<string, unknown>;
  }
  throw new ApiError(400, 'invalid-json', 'Expected a JSON object.');
}

function checked<T>(schema: z.ZodType<T>, body: Readonly<Record<string, unknown>>): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue!.path.join('.');
  if (isMissing(body, issue!.path)) {
    throw new ApiError(400, 'missing-field', `${field}: is missing.`, { field });
  }
  throw new ApiError(400, 'invalid-field', `${field}: ${issue!.message}.`, { field });
}

function isMissing(body: unknown, path: readonly PropertyKey[]): boolean {
  let value = body;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return true;
    if (!Object.hasOwn(value, key)) return true;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return false;
}
