import type { FollowedStreamStart, StreamEvent, StreamPosition } from '../../api/change-feed.ts';
import type { Tags } from '../../model/tags.ts';
import { columnJson } from '../../text/column-json.ts';
import { exactJson } from '../../text/exact-json.ts';

/** What happens to one stream. */
export type OneStreamEvent = Exclude<StreamEvent, { readonly kind: 'ready' }>;

type LiveKind = StreamEvent['kind'] | 'reset';

/** One event as readers get it. */
export interface LiveMessage {
  /** Grows from event to event, also over restarts of the service. */
  readonly sequence: number;
  readonly kind: LiveKind;
  /** An object with the `kind` in it, in one line. */
  readonly json: string;
}

/** A stream as it was when something happened to it; null: it was not there, or is not any more. */
export interface EventTags {
  readonly before: Tags | null;
  readonly after: Tags | null;
}

/**
 * An event of a stream, made into text once for all who see it. Whoever begins to see the stream by it, because its
 * tags have changed, is told that it was created; whoever ceases to, that it has left.
 */
export class LiveEvent {
  readonly sequence: number;
  readonly streamId: string;
  readonly tags: EventTags;
  readonly #message: LiveMessage;
  readonly #position: StreamPosition;
  #entered: LiveMessage | null = null;
  #left: LiveMessage | null = null;

  /** `position` is that of the stream after the event. */
  constructor(
    event: OneStreamEvent,
    {
      sequence,
      tags,
      position,
    }: {
      readonly sequence: number;
      readonly tags: EventTags;
      readonly position: StreamPosition;
    },
  ) {
    this.sequence = sequence;
    this.streamId = event.streamId;
    this.tags = tags;
    this.#position = position;
    this.#message = { sequence, kind: event.kind, json: eventJson(event) };
  }

  /** About what it takes in memory. */
  get sizeBytes(): number {
    return this.#message.json.length + ENTRY_SIZE_BYTES;
  }

  /** What somebody is told who saw the stream before, or sees it after the event; null: nothing. */
  messageFor({ sawIt, seesIt }: { sawIt: boolean; seesIt: boolean }): LiveMessage | null {
    if (sawIt && (seesIt || this.tags.after === null)) return this.#message;
    const { sequence, streamId } = this;
    if (sawIt) {
      this.#left ??= { sequence, kind: 'left', json: eventJson({ kind: 'left', streamId }) };
      return this.#left;
    }
    if (!seesIt) return null;
    if (this.#message.kind === 'created') return this.#message;
    const tags = this.tags.after!;
    const position = this.#position;
    this.#entered ??= {
      sequence,
      kind: 'created',
      json: eventJson({ kind: 'created', streamId: streamId as never, tags, position }),
    };
    return this.#entered;
  }
}

/** Of what is kept beside the text. */
const ENTRY_SIZE_BYTES = 200;

/** Where somebody begins, or begins anew. */
export function startMessage(
  kind: 'ready' | 'reset',
  sequence: number,
  streams: readonly FollowedStreamStart[],
): LiveMessage {
  return { sequence, kind, json: exactJson({ kind, streams }) };
}

function eventJson(event: OneStreamEvent | { kind: 'left'; streamId: string }): string {
  if (event.kind !== 'appended') return exactJson(event);
  const { kind, streamId, timestamps, values, position } = event;
  const head = exactJson({ kind, streamId, position }).slice(0, -1);
  return `${head},"timestamps":${columnJson(timestamps)},"values":${columnJson(values)}}`;
}
