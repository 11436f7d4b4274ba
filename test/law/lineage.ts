/** Which streams of a history derive from which. */
import type { Derivation, ModelStream, Source } from './model.ts';

/** Whether a stream is the other one, or derives from it. */
export function reaches(from: ModelStream, to: ModelStream): boolean {
  return from === to || sourcesOf(from).some(({ stream }) => reaches(stream, to));
}

/** Whether a stream is an aggregate by tags, or derives from one. */
export function hasAggregate({ derivation }: ModelStream): boolean {
  if (derivation === null) return false;
  return (
    derivation.isOverQuery === true || derivation.sources.some(({ stream }) => hasAggregate(stream))
  );
}

/** Latest datapoint that there ever was among all that the stream comes from. */
export function latestInput({ reached, derivation }: ModelStream): number {
  const latest = derivation?.sources.map(({ stream }) => latestInput(stream));
  const moved = Number(derivation?.args?.['offset'] ?? 0);
  return Math.max(reached, ...(latest ?? []).map((at) => at + moved));
}

/** The derivation from all numeric streams of a site, whichever these are at the time; null: of any site. */
export function overQuery(
  streams: readonly { readonly model: ModelStream }[],
  {
    op,
    site,
    after,
    own,
  }: {
    readonly op: string;
    readonly site: string | null;
    readonly after: number;
    readonly own: number;
  },
): Derivation {
  return {
    op,
    max: null,
    isOverQuery: true,
    get sources(): readonly Source[] {
      return streams
        .map(({ model }) => model)
        .filter((model) => model.isNumeric && model.highest <= own && isOf(model, site))
        .map((stream) => ({ stream, level: stream.highest < own ? own : null, after }));
    },
  };
}

function isOf(model: ModelStream, site: string | null): boolean {
  return site === null ? model.site !== null : model.site === site;
}

function sourcesOf({ derivation }: ModelStream): readonly Source[] {
  return derivation?.sources ?? [];
}
