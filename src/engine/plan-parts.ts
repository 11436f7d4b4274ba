import type { StreamId } from '../model/stream.ts';
import type { BoardGroup, BucketBoard } from './bucket-board.ts';
import type { LevelChain } from './level-chain.ts';
import { BoardFollower, ChainFollower } from './level-follower.ts';
import type { LiveStream } from './live-stream.ts';

/** The streams of a tick. The same object stands for the same streams in the same order. */
export interface TickStreams {
  /** Frozen. */
  readonly streamIds: readonly StreamId[];
  readonly streams: readonly LiveStream[];
}

interface BoardPart extends BoardGroup {
  readonly board: BucketBoard;
}

/** A stream of a tick with a chain of its own. */
interface ChainPart {
  readonly streamId: StreamId;
  readonly chain: LevelChain;
  /** Where the tick has its value. */
  readonly position: number;
}

interface Parts {
  readonly boards: readonly BoardPart[];
  readonly chains: readonly ChainPart[];
}

/** What follows which streams of a tick. */
export class PlanParts {
  readonly #plan: TickStreams;
  #parts: Parts = { boards: [], chains: [] };
  #epoch = -1;
  #members: ReadonlySet<LiveStream> | null = null;

  constructor(plan: TickStreams) {
    this.#plan = plan;
  }

  /** Whether the parts are those of the epoch. */
  isCurrent(epoch: number): boolean {
    return this.#epoch === epoch;
  }

  has(stream: LiveStream): boolean {
    this.#members ??= new Set(this.#plan.streams);
    return this.#members.has(stream);
  }

  /** The parts; an epoch is over when a stream has changed its place. */
  at(epoch: number): Parts {
    if (this.#epoch !== epoch) {
      this.#parts = { boards: this.#boards(), chains: this.#chains() };
      this.#epoch = epoch;
    }
    return this.#parts;
  }

  #chains(): readonly ChainPart[] {
    return this.#plan.streams.flatMap(({ streamId, follower }, position) =>
      follower instanceof ChainFollower ? [{ streamId, chain: follower.chain, position }] : [],
    );
  }

  #boards(): readonly BoardPart[] {
    const positions = new Map<BucketBoard, number[]>();
    for (const [position, { follower }] of this.#plan.streams.entries()) {
      if (!(follower instanceof BoardFollower)) continue;
      const known = positions.get(follower.board);
      if (known === undefined) positions.set(follower.board, [position]);
      else known.push(position);
    }
    return [...positions].map(([board, own]) => ({
      board,
      positions: Int32Array.from(own),
      rows: Int32Array.from(own, (position) => {
        return (this.#plan.streams[position]!.follower as BoardFollower).row;
      }),
      streamIds: this.#idsOf(board, own),
    }));
  }

  /** The same array as before where it is the same streams, so that stores recognise it. */
  #idsOf(board: BucketBoard, positions: readonly number[]): readonly StreamId[] {
    const { streamIds } = this.#plan;
    if (positions.length === streamIds.length) return streamIds;
    const before = this.#parts.boards.find((part) => part.board === board);
    const isSame =
      before?.positions.length === positions.length &&
      positions.every((position, index) => before.positions[index] === position);
    return isSame
      ? before.streamIds
      : Object.freeze(positions.map((position) => streamIds[position]!));
  }
}
