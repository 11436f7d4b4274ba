import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type Json, mergeTags } from '../../../model/tags.ts';
import { actorOf } from '../../access/fastify-hooks.ts';
import { hasScope } from '../../access/identity.ts';
import { hidingStreams } from '../../http/hidden-streams.ts';
import { Problem, refusingArguments } from '../../http/problem.ts';
import type { Service } from '../../service.ts';
import { CREATE, listPage, newSeriesPage, type ShownSeries, seriesPage } from './admin-pages.ts';
import {
  type Changes,
  isForm,
  type NewSeries,
  newSeriesOf,
  newSeriesOfForm,
  seriesUpdateOf,
} from './bodies.ts';
import { Equation } from './equation.ts';
import { ApiError, sendApiError } from './errors.ts';
import { contentTypeOf, wantsPage } from './negotiation.ts';
import { assertMay, lackingPrivilege } from './permissions.ts';
import type { Appended, OpenorgSeries, Series } from './series.ts';
import { type SeriesDetails, tagsOf } from './series-config.ts';

const SERVER = { name: 'datastream-engine', version: '1' };
const slugParams = z.object({ slug: z.string().max(200) });
const tags = ['compatibility'];
const signedIn = { access: 'signed-in' as const };
/** What forms of pages are sent to. */
const filled = { ...signedIn, csrfTokenInQuery: 'csrf' };

/** Creating, filling and deleting series, as openorg_timeseries has it at `/admin/`. */
export const openorgAdminRoutes: FastifyPluginCallbackZod<{
  service: Service;
  series: OpenorgSeries;
}> = (app, { service, series: all }, done) => {
  const { access, datastream, writer, config, metrics } = service;
  const bodyLimit = config.limits.bodyBytes;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit }, (_request, body, parsed) =>
    parsed(null, body),
  );
  app.setErrorHandler((error, request, reply) => sendApiError(error, request, reply));

  // Of the route, not of the request: that may name another host.
  const urlOf = (slug: string): string => `${app.prefix}/${slug}/`;

  const found = async (slug: string): Promise<Series> => {
    const series = await all.find(slug);
    if (series !== null) return series;
    throw new ApiError(404, 'not-found', `There is no series ${JSON.stringify(slug)}.`);
  };

  const bodyOf = ({ details }: Series) => {
    const { config: settings, equation, ...rest } = details;
    return {
      _url: urlOf(details.slug),
      ...rest,
      is_virtual: equation !== null,
      config: settings,
      ...(equation !== null && { equation }),
    };
  };

  /** Lets the public see a series, or not any more. @throws {ServiceError} FORBIDDEN */
  const publish = (request: FastifyRequest, { stream }: Series, isPublic: boolean): void => {
    const by = actorOf(request);
    const target = { kind: 'stream' as const, streamId: stream.id };
    if (isPublic) {
      const subject = { kind: 'public' as const };
      access.grants.add({ subject, permissions: ['view'], target, tags: stream.tags }, by);
      return;
    }
    for (const { id, subject } of access.grants.ofStream(stream.id)) {
      if (subject.kind === 'public') access.grants.remove(id, { tags: stream.tags }, by);
    }
  };

  /** What a virtual series is read like where it does not say: as the first series of its equation. */
  const detailsOf = (body: NewSeries, sources: ReadonlyMap<string, Series>): SeriesDetails => {
    const { slug, title, notes, is_public, equation } = body;
    const settings = body.config ?? [...sources.values()][0]?.details.config;
    if (settings === undefined) {
      throw new ApiError(400, 'missing-field', 'config: is missing.', { field: 'config' });
    }
    return { slug, title, notes, is_public, config: settings, equation: equation ?? null };
  };

  const sightOf = ({ viewer }: FastifyRequest) => ({ datastream, viewer });

  const sourcesFor = (request: FastifyRequest, slug: string, equation: string) =>
    all.sourcesOf(slug, new Equation(equation), ({ stream }) => request.viewer.can('view', stream));

  app.get(
    '/',
    { config: signedIn, schema: { tags, summary: 'Series that one may view (OpenOrg)' } },
    async (request, reply) => {
      const { viewer, session, query } = request;
      const csrfToken = session?.csrfToken ?? null;
      if (wantsPage(request) && isCreating(query)) {
        return sendPage(reply, newSeriesPage({ base: app.prefix, csrfToken, now: service.now() }));
      }
      const readable = (await all.all()).filter(({ stream }) => viewer.can('view', stream));
      if (!wantsPage(request)) return { series: readable.map(bodyOf), server: SERVER };
      const mayCreate = viewer.canCreate(tagsOf({}));
      return sendPage(reply, listPage(readable.map(shown), { base: app.prefix, mayCreate }));
    },
  );

  app.post(
    '/',
    { config: filled, schema: { tags, summary: 'Creates a series (OpenOrg)' } },
    async (request, reply) => {
      const isPageForm = isCreating(request.query) && isForm(request);
      const body = isPageForm ? newSeriesOfForm(request) : newSeriesOf(request);
      if (body.is_virtual === true && body.equation === undefined) {
        throw new ApiError(400, 'missing-field', 'equation: is missing.', { field: 'equation' });
      }
      const { equation, slug } = body;
      if (!request.viewer.canCreate(tagsOf({ slug, is_public: body.is_public }))) {
        throw lackingPrivilege('You may not create series.');
      }
      const mayPublish = hasScope(request.identity, 'grant') && hasScope(request.identity, 'view');
      if (body.is_public && !mayPublish) {
        throw lackingPrivilege('A public series needs the scopes view and grant.');
      }
      const sources =
        equation === undefined ? new Map() : await sourcesFor(request, slug, equation);
      const details = detailsOf(body, sources);
      const streamId = await refusingArguments(() =>
        hidingStreams(sightOf(request), () => all.create(details, sources)),
      );
      if (streamId === null) {
        throw new ApiError(409, 'already-exists', `There is already a series ${slug}.`);
      }
      await request.viewer.created([streamId]);
      const series = await found(slug);
      if (details.is_public) publish(request, series, true);
      if (isPageForm) return reply.redirect(urlOf(slug), 303);
      return reply.code(201).header('location', urlOf(slug)).send(bodyOf(series));
    },
  );

  app.get(
    '/:slug/',
    { config: signedIn, schema: { tags, summary: 'Reads a series', params: slugParams } },
    async (request, reply) => {
      const series = await found(request.params.slug);
      assertMay(request, 'view', series);
      if (!wantsPage(request)) return bodyOf(series);
      const { viewer, session, query } = request;
      const text = seriesPage(shown(series), {
        done: new URLSearchParams(query as Record<string, string>),
        csrfToken: session?.csrfToken ?? null,
        mayAppend: viewer.can('append', series.stream),
        mayChange: viewer.can('change', series.stream),
      });
      return sendPage(reply, text);
    },
  );

  app.post(
    '/:slug/',
    {
      config: filled,
      schema: {
        tags,
        summary: 'Adds readings to a series, or changes what it is called',
        description:
          'Bodies: `application/json` (`{"readings": [{"ts", "val"}, …]}`, `title`, `notes`, `is_public`, `equation`), ' +
          '`text/csv` (instant, value), `multipart/form-data` (a file `readings` of such CSV). Readings that are not newer ' +
          'than the last one are left out.',
        params: slugParams,
      },
    },
    async (request, reply) => {
      const series = await found(request.params.slug);
      const { readings, changes } = await seriesUpdateOf(request);
      // Everything is looked at before anything is done.
      if (readings !== null) assertAppendable(request, series);
      const names = Object.keys(changes);
      if (names.length > 0) assertChangeable(request, series, changes);
      const appended = readings === null ? null : await all.append(series, readings);
      if (appended !== null) {
        const { count, appended: accepted } = appended;
        metrics.noteIngest('openorg', { accepted, duplicate: count - accepted, dropped: 0 });
      }
      if (names.length > 0) {
        await change(request, series, changes);
        const after = changes as Json;
        request.viewer.changed(series.stream.id, { action: 'stream.change', after });
      }
      const answer = { appended, updated: names };
      if (!wantsPage(request)) return reply.send(answerBody(answer));
      return reply.redirect(`${urlOf(series.details.slug)}?${answerQuery(answer)}`, 303);
    },
  );

  app.delete(
    '/:slug/',
    { config: signedIn, schema: { tags, summary: 'Deletes a series', params: slugParams } },
    async (request, reply) => {
      const series = await found(request.params.slug);
      assertMay(request, 'delete', series);
      await hidingStreams(sightOf(request), () => all.remove(series));
      writer.forget([series.stream.id]);
      await request.viewer.deleted([series.stream.id]);
      return reply.code(204).send();
    },
  );

  const change = async (
    request: FastifyRequest,
    series: Series,
    { equation, is_public, ...texts }: Changes,
  ): Promise<void> => {
    const { slug, ...details } = series.details;
    if (equation !== undefined) {
      const sources = await sourcesFor(request, slug, equation);
      await refusingArguments(() =>
        hidingStreams(sightOf(request), () => all.redefine(series, equation, sources)),
      );
    }
    if (is_public !== undefined && is_public !== details.is_public) {
      publish(request, series, is_public);
    }
    await all.describe(series, { ...texts, is_public });
    writer.forget([series.stream.id]);
  };

  done();
};

function isCreating(query: unknown): boolean {
  return Object.hasOwn(query as object, CREATE);
}

function sendPage(reply: FastifyReply, text: string): FastifyReply {
  return reply.type(contentTypeOf('html')).serializer(String).send(text);
}

function shown({ stream, details }: Series): ShownSeries {
  return { details, updatedMs: stream.latestDatapoint?.getTime() ?? null };
}

function assertAppendable(request: FastifyRequest, series: Series): void {
  assertMay(request, 'append', series);
  if (series.details.equation === null) return;
  throw new ApiError(
    400,
    'append-to-virtual',
    `${series.details.slug} is computed: it takes no readings.`,
  );
}

function assertChangeable(request: FastifyRequest, series: Series, changes: Changes): void {
  assertMay(request, 'change', series);
  const { equation, is_public } = changes;
  if (!request.viewer.canRetag(series.stream, mergeTags(series.stream.tags, tagsOf(changes)))) {
    throw lackingPrivilege('These words would give permissions that are not yours to give.');
  }
  if (equation !== undefined && series.details.equation === null) {
    throw new Problem(400, 'equation: the series is no virtual one.', { field: 'equation' });
  }
  const isPublished = is_public !== undefined && is_public !== series.details.is_public;
  if (isPublished) assertMay(request, 'grant', series);
}

interface UpdateAnswer {
  readonly appended: Appended | null;
  readonly updated: readonly string[];
}

function answerBody({ appended, updated }: UpdateAnswer): object {
  return {
    ...(appended !== null && {
      readings: {
        count: appended.count,
        appended: appended.appended,
        last: appended.lastMs,
      },
    }),
    ...(updated.length > 0 && { updated }),
  };
}

/** For the page to which a form leads back. */
function answerQuery({ appended, updated }: UpdateAnswer): URLSearchParams {
  const query = new URLSearchParams();
  if (appended !== null) {
    query.set('readings.count', String(appended.count));
    query.set('readings.appended', String(appended.appended));
  }
  if (updated.length > 0) query.set('updated', 'true');
  return query;
}
