import type { Json, StreamInfo } from '../api/types.ts';
import { textTag } from '../format/stream-title.ts';
import { isObject, type Visualization, visualizationOf } from './visualization.ts';

/** Streams that share a chart, in their order. */
export interface ChartGroup {
  /** Of the stream that the chart began with. */
  readonly id: string;
  readonly lines: readonly StreamInfo[];
  /** What happened, drawn over the lines. */
  readonly events: readonly StreamInfo[];
}

interface Drawn {
  readonly stream: StreamInfo;
  readonly visualization: Visualization;
}

/**
 * Charts that streams ask for by their tags. Two share one when each has the tags that the other wants beside it, and
 * unit, minimum and maximum are the same. One that is wanted by nobody is put into every chart with a stream that it
 * wants, as events are, and gets one of its own only when there is none.
 */
export function chartGroups(streams: readonly StreamInfo[]): readonly ChartGroup[] {
  const drawn = streams.flatMap((stream): Drawn[] => {
    const visualization = visualizationOf(stream);
    return visualization === null || visualization.isHidden ? [] : [{ stream, visualization }];
  });
  const guests = drawn.filter((one) => isGuest(one, drawn));
  const groups: { readonly members: Drawn[] }[] = [];
  for (const one of drawn) {
    if (guests.includes(one)) continue;
    const group = groups.find(({ members }) =>
      members.every((other) => belongTogether(one, other)),
    );
    if (group === undefined) groups.push({ members: [one] });
    else group.members.push(one);
  }
  const hosts = groups.map(({ members }) => [...members]);
  for (const guest of guests) {
    const wanted = groups.flatMap(({ members }, index) =>
      members.some(({ stream }) => wants(guest, stream)) ? [index] : [],
    );
    for (const index of wanted) hosts[index]!.push(guest);
  }
  return hosts.map((members) => ({
    id: members[0]!.stream.id,
    lines: members
      .filter(({ visualization }) => visualization.type !== 'event')
      .map(({ stream }) => stream),
    events: members
      .filter(({ visualization }) => visualization.type === 'event')
      .map(({ stream }) => stream),
  }));
}

/** One that wants others which do not want it, and that some chart will take in; an event may be wanted, too. */
function isGuest(one: Drawn, all: readonly Drawn[]): boolean {
  const { type, with: companions } = one.visualization;
  if (companions === null) return false;
  const wanted = all.filter((other) => other !== one && wants(one, other.stream));
  // Of an event no unit or end of an axis has to fit: it is drawn on none.
  if (type === 'event') return wanted.some(({ visualization }) => visualization.type !== 'event');
  return wanted.length > 0 && wanted.every((other) => !wants(other, one.stream));
}

function belongTogether(a: Drawn, b: Drawn): boolean {
  if (!wants(a, b.stream) || !wants(b, a.stream)) return false;
  return (
    a.visualization.minimum === b.visualization.minimum &&
    a.visualization.maximum === b.visualization.maximum &&
    textTag(a.stream.tags, 'unit') === textTag(b.stream.tags, 'unit')
  );
}

function wants({ visualization }: Drawn, { tags }: StreamInfo): boolean {
  return visualization.with !== null && contains(tags, visualization.with);
}

/** Whether all that is in `part` is in `whole`, at every depth. */
function contains(whole: Json | undefined, part: Json): boolean {
  if (!isObject(part)) return JSON.stringify(whole) === JSON.stringify(part);
  if (!isObject(whole)) return false;
  return Object.entries(part).every(([name, value]) => contains(whole[name], value));
}
