import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Datastream } from '../../src/api/datastream.ts';
import type { StreamChanges } from '../../src/api/types.ts';
import type { Tags } from '../../src/model/tags.ts';
import { hasAggregate, latestInput, overQuery, reaches } from './lineage.ts';
import type { ModelStream } from './model.ts';
import { nothingYet, type RunStream } from './run-stream.ts';
import { NO_EXTRA } from './setting.ts';
import { downsamplersOf } from './statistics.ts';
import { granularityOf } from './units.ts';

const OPERATORS = ['sum', 'mean', 'min', 'max', 'count'] as const;

interface Query {
  readonly operator: (typeof OPERATORS)[number];
  /** Of which streams; null: of all that have a site. */
  readonly site: string | null;
  readonly isBackprocessed: boolean;
}

/** Streams derive from all that match tags, and tags change. */
export type AggregateStep =
  | { readonly kind: 'aggregate'; readonly seconds: number; readonly query: Query }
  | {
      readonly kind: 'requery';
      readonly stream: number;
      readonly query: Query;
      /** Whether it takes the same streams as before, if it is an aggregate already. */
      readonly isOfSame: boolean;
    }
  | { readonly kind: 'move'; readonly stream: number; readonly site: string | null }
  /** Of a stream that derives from others. */
  | { readonly kind: 'delete'; readonly stream: number };

const query: fc.Arbitrary<Query> = fc.record({
  operator: fc.constantFrom(...OPERATORS),
  site: fc.constantFrom('x', 'y', null),
  isBackprocessed: fc.oneof(fc.constant(true), fc.constant(true), fc.constant(false)),
});
const stream = fc.nat({ max: 11 });

export const aggregateStep: fc.Arbitrary<AggregateStep> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('aggregate' as const),
      seconds: fc.constantFrom(1, 10, 60),
      query,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('requery' as const),
      stream,
      query,
      isOfSame: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('move' as const),
      stream,
      site: fc.constantFrom('x', 'y', null),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('delete' as const), stream }),
  },
);

/** What such a step needs of a run. */
interface AggregatingRun {
  readonly datastream: Datastream;
  readonly streams: RunStream[];
  readonly start: number;
  /** Seconds since 1970 at which the engines live. */
  readonly now: number;
  /** Gives a name that no stream had. */
  readonly takeName: () => number;
}

/** Tags of a stream of that site. */
export function siteTags(site: string | null): {
  readonly site: string;
  readonly hasSite: boolean;
} {
  return { site: site ?? 'nowhere', hasSite: site !== null };
}

/** Does what the step says, where no loop can come of it, and notes it for the model. */
export async function applyAggregate(run: AggregatingRun, step: AggregateStep): Promise<void> {
  // Levels of an aggregate stay complete as far as inputs went that it loses.
  for (const { model: known } of run.streams) {
    if (known.derivation?.isOverQuery) {
      known.reached = Math.max(known.reached, latestInput(known));
    }
  }
  if (step.kind === 'aggregate') return create(run, step);
  if (step.kind === 'delete') return remove(run, step.stream);
  const chosen = run.streams[step.stream % run.streams.length]!;
  return step.kind === 'move' ? move(run, chosen, step.site) : requery(run, step);
}

async function create(
  { datastream, streams, start, now, takeName }: AggregatingRun,
  { seconds, query: { operator, site, isBackprocessed } }: AggregateStep & { kind: 'aggregate' },
): Promise<void> {
  const kind = { isNumeric: true, hasMore: false };
  const id = await datastream.ensureStream(
    { name: takeName() },
    {
      valueType: 'numeric',
      valueDownsamplers: downsamplersOf(kind, datastream.supports),
      highestGranularity: granularityOf(seconds),
      deriveFrom: { query: queryOf(site) },
      deriveOp: operator,
      deriveBackprocess: isBackprocessed,
    },
  );
  const after = isBackprocessed ? Number.NEGATIVE_INFINITY : now;
  const model: ModelStream = {
    ...kind,
    ...nothingYet(),
    highest: seconds,
    extra: NO_EXTRA,
    site: null,
    derivation: overQuery(streams, { op: operator, site, after, own: seconds }),
    hasExactSums: false,
    isExact: true,
  };
  streams.push({ id, model, latest: start, query: { site, after } });
}

/** Gives a stream another site. Only streams have one whose means are exact, and that derive from no aggregate. */
async function move(
  { datastream }: AggregatingRun,
  { id, model }: RunStream,
  site: string | null,
): Promise<void> {
  const isFit = model.hasExactSums || (model.isExact && model.highest === 60);
  if (!isFit || hasAggregate(model)) return;
  await datastream.updateTags(id, siteTags(site));
  model.site = site;
}

/** Lets a derived stream derive from other streams by their tags. */
async function requery(
  { datastream, streams, now }: AggregatingRun,
  { stream: pick, query: asked, isOfSame }: AggregateStep & { kind: 'requery' },
): Promise<void> {
  const derived = streams.filter(({ model }) => model.derivation !== null && model.isNumeric);
  const target = derived[pick % Math.max(derived.length, 1)];
  if (target === undefined) return;
  const { id, model } = target;
  const isFit = !model.hasExactSums && model.highest <= 60;
  const isBelowSite = streams.some(
    (other) => other.model.site !== null && reaches(other.model, model),
  );
  if (!isFit || isBelowSite) return;
  const { operator, site, isBackprocessed } = asked;
  const keepsQuery = isOfSame && model.derivation?.isOverQuery === true;
  const changes: StreamChanges = keepsQuery
    ? { deriveOp: operator }
    : {
        deriveOp: operator,
        deriveFrom: { query: queryOf(site) },
        deriveArgs: {},
        deriveBackprocess: isBackprocessed,
      };
  await datastream.updateStream(id, changes);
  model.reached = Math.max(model.reached, latestInput(model));
  const after = isBackprocessed ? Number.NEGATIVE_INFINITY : now;
  if (!keepsQuery) target.query = { site, after };
  model.derivation = overQuery(streams, { op: operator, ...target.query!, own: model.highest });
}

/** Deletes a derived stream, unless others name it as a source: aggregates let it go. */
async function remove({ datastream, streams }: AggregatingRun, pick: number): Promise<void> {
  const derived = streams.filter(({ model }) => model.derivation !== null);
  const target = derived[pick % Math.max(derived.length, 1)];
  if (target === undefined) return;
  const isNamed = derived.some(
    ({ model: { derivation } }) =>
      derivation!.isOverQuery !== true &&
      derivation!.sources.some((source) => source.stream === target.model),
  );
  const deleting = datastream.deleteStreams({ stream_id: target.id });
  if (isNamed) {
    await assert.rejects(deleting, { code: 'OUTSTANDING_DEPENDENCIES' });
    return;
  }
  await deleting;
  streams.splice(streams.indexOf(target), 1);
}

function queryOf(site: string | null): Tags {
  return site === null ? { hasSite: true } : { site };
}
