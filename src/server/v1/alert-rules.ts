import type { FastifyRequest } from 'fastify';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Stream } from '../../api/types.ts';
import { actorOf } from '../access/fastify-hooks.ts';
import { isAdminWithin } from '../access/identity.ts';
import { assertRoomForOne } from '../access/user-limits.ts';
import type { RuleInput } from '../alerts/alerts.ts';
import { readRule } from '../alerts/evaluator.ts';
import { instant } from '../http/instants.ts';
import { Problem, refusingArguments } from '../http/problem.ts';
import { streamFor, type Viewer } from '../http/viewer.ts';
import type { Service } from '../service.ts';
import type { AlertRule } from '../state/records/alert.ts';
import { ServiceError } from '../state/service-error.ts';
import { deliveryBody, ruleBody } from './alert-bodies.ts';
import { assertDestinations } from './alert-destinations.ts';
import {
  deliveryListSchema,
  type RuleBodyInput,
  ruleInputSchema,
  ruleListSchema,
  ruleSchema,
  silenceInputSchema,
  testResultSchema,
} from './schemas/alerts.ts';

const paramsSchema = z.object({ id: z.string().max(100).describe('Id of the rule.') });
const tags = ['alerts'];

/** Rules of one's own. */
export const alertRuleRoutes: FastifyPluginCallbackZod<{ service: Service }> = (
  app,
  { service },
  done,
) => {
  const { alerts, access, config, now, state } = service;
  const change = { access: { scope: 'change' } } as const;

  const audit = (request: FastifyRequest, action: string, { id, name }: AlertRule): void =>
    access.audit.record({ action, target: { kind: 'alert rule', id, name } }, actorOf(request));

  app.get(
    '/alerts/rules',
    {
      config: change,
      schema: {
        tags,
        summary: 'Lists the rules that one may change',
        response: { 200: ruleListSchema },
      },
    },
    async (request) => ({
      rules: alerts
        .rules()
        .filter((rule) => isOwn(rule, request))
        .map((rule) => ruleBody(rule, service)),
    }),
  );

  app.post(
    '/alerts/rules',
    {
      config: change,
      schema: {
        tags,
        summary: 'Makes a rule',
        body: ruleInputSchema,
        response: { 201: ruleSchema },
      },
    },
    async (request, reply) => {
      const input = inputOf(request.body);
      await assertMayMake(service, request, input);
      const { userId } = request.identity;
      const rule = state.write(() => {
        const limit = {
          heldCount: userId === null ? 0 : state.alertRules.count('owner', userId),
          countMax: config.limits.alertRulesPerUser,
          what: 'alert rules',
          setting: 'limits.alertRulesPerUser',
        };
        assertRoomForOne(limit, actorOf(request));
        const added = alerts.createRule(input, userId);
        audit(request, 'alert-rule.add', added);
        return added;
      });
      return reply
        .code(201)
        .header('location', `/api/v1/alerts/rules/${rule.id}`)
        .send(ruleBody(rule, service));
    },
  );

  app.get(
    '/alerts/rules/:id',
    {
      config: change,
      schema: {
        tags,
        summary: 'Reads a rule',
        params: paramsSchema,
        response: { 200: ruleSchema },
      },
    },
    async (request) => ruleBody(ownRule(service, request, request.params.id), service),
  );

  app.put(
    '/alerts/rules/:id',
    {
      config: change,
      schema: {
        tags,
        summary: 'Replaces a rule; under another condition, its alerts begin anew',
        params: paramsSchema,
        body: ruleInputSchema,
        response: { 200: ruleSchema },
      },
    },
    async (request) => {
      const { id } = ownRule(service, request, request.params.id);
      const input = inputOf(request.body);
      await assertMayMake(service, request, input);
      const rule = alerts.updateRule(id, input);
      audit(request, 'alert-rule.change', rule);
      return ruleBody(rule, service);
    },
  );

  app.patch(
    '/alerts/rules/:id',
    {
      config: change,
      schema: {
        tags,
        summary: 'Turns a rule on or off; off, its alerts end',
        params: paramsSchema,
        body: z.strictObject({ isEnabled: z.boolean() }),
        response: { 200: ruleSchema },
      },
    },
    async (request) => {
      const { id, name, definition } = readOwnRule(service, request, request.params.id);
      const { isEnabled } = request.body;
      const rule = alerts.updateRule(id, { name, isEnabled, definition });
      audit(request, 'alert-rule.change', rule);
      return ruleBody(rule, service);
    },
  );

  app.delete(
    '/alerts/rules/:id',
    {
      config: change,
      schema: {
        tags,
        summary: 'Removes a rule and ends its alerts',
        params: paramsSchema,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const rule = ownRule(service, request, request.params.id);
      alerts.removeRule(rule.id);
      audit(request, 'alert-rule.remove', rule);
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/alerts/rules/:id/test',
    {
      config: change,
      schema: {
        tags,
        summary: 'Sends a test message to each destination of a rule',
        params: paramsSchema,
        response: { 200: testResultSchema },
      },
    },
    async (request) => {
      const rule = ownRule(service, request, request.params.id);
      assertDestinations(service.config.alerts, request.identity, readRule(rule).definition);
      const tested = await alerts.test(rule.id);
      return { destinations: tested.map(({ destination, error }) => ({ destination, error })) };
    },
  );

  app.get(
    '/alerts/rules/:id/deliveries',
    {
      config: change,
      schema: {
        tags,
        summary: 'Lists what waits, and what was delivered or given up in the last days',
        params: paramsSchema,
        response: { 200: deliveryListSchema },
      },
    },
    async (request) => {
      const { id } = ownRule(service, request, request.params.id);
      return { deliveries: alerts.outbox.ofRule(id).map(deliveryBody) };
    },
  );

  app.put(
    '/alerts/rules/:id/silence',
    {
      config: change,
      schema: {
        tags,
        summary: 'Tells nobody of a rule, or of one of its streams, until then',
        params: paramsSchema,
        body: silenceInputSchema,
        response: { 200: ruleSchema },
      },
    },
    async (request) => {
      const rule = ownRule(service, request, request.params.id);
      const { stream, until, reason } = request.body;
      alerts.silences.put({
        ruleId: rule.id,
        streamId: stream,
        untilMs: instant(until, { field: 'until', now: now() }).getTime(),
        by: request.identity.name,
        reason,
      });
      audit(request, 'alert-rule.silence', rule);
      return ruleBody(rule, service);
    },
  );

  app.delete(
    '/alerts/rules/:id/silence',
    {
      config: change,
      schema: {
        tags,
        summary: 'Ends a silence',
        params: paramsSchema,
        querystring: z.object({ stream: z.uuid().optional() }),
        response: { 200: ruleSchema },
      },
    },
    async (request) => {
      const rule = ownRule(service, request, request.params.id);
      alerts.silences.remove(rule.id, request.query.stream ?? null);
      audit(request, 'alert-rule.unsilence', rule);
      return ruleBody(rule, service);
    },
  );

  done();
};

function isOwn({ ownerId }: AlertRule, { identity }: FastifyRequest): boolean {
  return isAdminWithin(identity) || (ownerId !== null && ownerId === identity.userId);
}

/** @throws {ServiceError} NOT_FOUND, for the rules of others, too. */
function ownRule({ alerts }: Service, request: FastifyRequest, ruleId: string): AlertRule {
  const rule = alerts.rule(ruleId);
  if (isOwn(rule, request)) return rule;
  throw new ServiceError('NOT_FOUND', `No alert rule ${JSON.stringify(ruleId)}.`);
}

function readOwnRule(
  service: Service,
  request: FastifyRequest,
  ruleId: string,
): RuleInput & { readonly id: string } {
  const { rule, definition } = readRule(ownRule(service, request, ruleId));
  return { ...rule, definition };
}

function inputOf({ name, isEnabled, ...definition }: RuleBodyInput): RuleInput {
  return { name, isEnabled, definition };
}

/**
 * Whoever makes a rule may change what it looks at, and tell those that it tells. Of a tag query, what he may
 * change is looked at, now and later.
 */
async function assertMayMake(
  { datastream, alerts, config }: Service,
  { viewer, identity }: FastifyRequest,
  { definition }: RuleInput,
): Promise<void> {
  assertDestinations(config.alerts, identity, definition);
  const { target } = definition;
  const stream: Stream | null =
    'stream' in target
      ? await streamFor({ datastream, viewer }, target.stream, 'change')
      : await firstChangeable(datastream, viewer, target.query);
  if (stream !== null) await refusingArguments(() => alerts.assertFits(definition, stream));
}

async function firstChangeable(
  datastream: Service['datastream'],
  viewer: Viewer,
  query: Parameters<Service['datastream']['findStreams']>[0],
): Promise<Stream | null> {
  let isAnySeen = false;
  for await (const stream of datastream.findStreams(query)) {
    if (viewer.can('change', stream)) return stream;
    // Those that he may not see are not told of.
    isAnySeen ||= viewer.can('view', stream);
  }
  if (!isAnySeen) return null;
  throw new Problem(403, 'You may change none of the streams with these tags.', {
    code: 'NOT_ALLOWED',
    field: 'target.query',
  });
}
