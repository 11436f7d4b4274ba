import { iriOf, type Name, type RdfObject, type Triple } from './rdf-text.ts';
import { resolutionOf, type SeriesDetails } from './series-config.ts';

/**
 * What series say of themselves in the time-series vocabulary: where they are read, and which samplings they have.
 * @param endpoint address at which they are read.
 */
export function triplesOf(all: readonly SeriesDetails[], endpoint: string): readonly Triple[] {
  return all.flatMap((details) => ofSeries(details, endpoint));
}

function ofSeries(
  { slug, title, notes, config }: SeriesDetails,
  endpoint: string,
): readonly Triple[] {
  const series = `${endpoint}#${slug}`;
  const samplings = config.archives.map((archive, index) => ({
    archive,
    iri: `${series}/sampling/${index}`,
  }));
  return [
    ...about(series, [
      ['rdf:type', named('ts:TimeSeries')],
      ['rdfs:label', text(title)],
      ...(notes === '' ? [] : [['rdfs:comment', text(notes)] as const]),
      ['ts:endpoint', { kind: 'iri', iri: endpoint }],
      ['ts:seriesName', text(slug)],
      ...samplings.map(({ iri }) => ['ts:sampling', { kind: 'iri', iri }] as const),
    ]),
    ...samplings.flatMap(({ archive, iri }) => {
      const resolution = resolutionOf(config, archive);
      return about(iri, [
        ['ts:samplingType', named(`ts:${archive.aggregation_type}`)],
        ['ts:resolution', typeof resolution === 'number' ? integer(resolution) : text(resolution)],
        ['ts:count', integer(archive.count)],
      ]);
    }),
  ];
}

function about(
  subject: string,
  statements: readonly (readonly [Name, RdfObject])[],
): readonly Triple[] {
  return statements.map(([predicate, object]) => ({ subject, predicate, object }));
}

function named(name: Name): RdfObject {
  return { kind: 'iri', iri: iriOf(name) };
}

function text(given: string): RdfObject {
  return { kind: 'text', text: given };
}

function integer(value: number): RdfObject {
  return { kind: 'integer', value };
}
