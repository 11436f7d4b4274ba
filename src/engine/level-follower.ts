import type { BucketBoard } from './bucket-board.ts';
import type { LevelChain } from './level-chain.ts';
import type { LevelFollower } from './live-stream.ts';

/** Follows a stream on a board that it shares with others. */
export class BoardFollower implements LevelFollower {
  readonly board: BucketBoard;
  readonly row: number;

  constructor(board: BucketBoard, row: number) {
    this.board = board;
    this.row = row;
  }

  untilMs(levelIndex: number): number | null {
    return this.board.place(this.row, levelIndex).untilMs;
  }
}

/** Follows a stream with a chain of its own. */
export class ChainFollower implements LevelFollower {
  readonly chain: LevelChain;

  constructor(chain: LevelChain) {
    this.chain = chain;
  }

  untilMs(levelIndex: number): number | null {
    return this.chain.place(levelIndex).untilMs;
  }
}

/** Of streams whose levels maintenance alone computes. */
export const NOBODY: LevelFollower = Object.freeze({ untilMs: () => null });
