import type { FastifyRequest } from 'fastify';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { StreamNotFound } from '../../exceptions/errors.ts';
import { isAdminWithin } from '../access/identity.ts';
import { decodeCursor, encodeCursor } from '../http/cursor.ts';
import type { Service } from '../service.ts';
import type { Logged } from '../state/event-log.ts';
import type { AlertEvent } from '../state/records/alert.ts';
import { alertBody, eventBody } from './alert-bodies.ts';
import { alertHistorySchema, alertListSchema } from './schemas/alerts.ts';

const PAGE_EVENT_COUNT = 100;
const PAGE_EVENT_COUNT_MAX = 1000;

const placeSchema = z.int().min(1);
const tags = ['alerts'];
const view = { access: { scope: 'view' } } as const;

/** Alerts of the streams that one may see, and what happened to them. */
export const alertRoutes: FastifyPluginCallbackZod<{ service: Service }> = (
  app,
  { service },
  done,
) => {
  const { alerts, state } = service;

  app.get(
    '/alerts',
    {
      config: view,
      schema: {
        tags,
        summary: 'Lists the alerts of streams that one may see',
        querystring: z.object({
          state: z.enum(['ok', 'pending', 'firing', 'resolved']).optional(),
          stream: z.uuid().optional(),
          rule: z.string().max(100).optional(),
        }),
        response: { 200: alertListSchema },
      },
    },
    async (request) => {
      const { state: wanted, stream, rule: ruleId } = request.query;
      const found =
        stream !== undefined
          ? state.alertStates.find('stream', stream)
          : ruleId !== undefined
            ? state.alertStates.find('rule', ruleId)
            : state.alertStates.all();
      const rules = new Map(alerts.rules().map((rule) => [rule.id, rule]));
      const seen = new StreamSight(service, request);
      const bodies = [];
      for (const alert of found) {
        const rule = rules.get(alert.ruleId);
        if (rule === undefined || (wanted !== undefined && alert.state !== wanted)) continue;
        if (ruleId !== undefined && alert.ruleId !== ruleId) continue;
        if (await seen.has(alert.streamId)) bodies.push(alertBody(alert, rule, service));
      }
      return { alerts: bodies };
    },
  );

  app.get(
    '/alerts/history',
    {
      config: view,
      schema: {
        tags,
        summary: 'Lists what happened to the alerts of streams that one may see, newest first',
        querystring: z.object({
          stream: z.uuid().optional(),
          rule: z.string().max(100).optional(),
          limit: z.coerce.number().int().min(1).max(PAGE_EVENT_COUNT_MAX).default(PAGE_EVENT_COUNT),
          cursor: z.string().max(200).optional(),
        }),
        response: { 200: alertHistorySchema },
      },
    },
    async (request) => {
      const { stream, rule, limit, cursor } = request.query;
      const seen = new StreamSight(service, request);
      const events: Logged<AlertEvent>[] = [];
      let place: number | null | undefined =
        cursor === undefined ? undefined : decodeCursor(cursor, placeSchema);
      while (place !== null && events.length < limit) {
        const page = state.alertHistory.page({
          limit: limit - events.length,
          beforeSeq: place,
          matches: ({ streamId, ruleId }) =>
            (stream === undefined || streamId === stream) &&
            (rule === undefined || ruleId === rule),
        });
        for (const event of page.entries) if (await seen.has(event.streamId)) events.push(event);
        place = page.nextBeforeSeq;
      }
      const next = place === null || place === undefined ? null : encodeCursor(place);
      return { events: events.map(eventBody), next };
    },
  );

  done();
};

/** Which streams whoever asks may see; those that are gone are an admin's to see. */
class StreamSight {
  readonly #service: Service;
  readonly #request: FastifyRequest;
  readonly #known: Map<string, boolean> = new Map();

  constructor(service: Service, request: FastifyRequest) {
    this.#service = service;
    this.#request = request;
  }

  async has(streamId: string): Promise<boolean> {
    const known = this.#known.get(streamId);
    if (known !== undefined) return known;
    const { viewer, identity } = this.#request;
    const stream = await this.#service.datastream.getStream(streamId).catch((error: unknown) => {
      if (error instanceof StreamNotFound) return null;
      throw error;
    });
    const isSeen = stream === null ? isAdminWithin(identity) : viewer.can('view', stream);
    this.#known.set(streamId, isSeen);
    return isSeen;
  }
}
