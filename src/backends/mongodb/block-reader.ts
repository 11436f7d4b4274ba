import { BlockCorrupt } from '../../exceptions/errors.ts';
import type { Block } from '../../model/block.ts';
import type { GranularityName } from '../../model/granularity.ts';
import { decodeBlocks } from '../codec/block-codec.ts';
import type { BlockDocuments } from './block-documents.ts';
import type { BlockRef } from './entry.ts';
import type { Follower } from './follower.ts';
import type { View } from './view.ts';

const TRY_COUNT_MAX = 3;

/** A block is not there: superseded and removed since the view was at the tip. */
export class BlockGone extends Error {
  readonly #id: string;
  readonly #position: number;

  constructor(id: string, position: number) {
    super(`The block ${id} is gone.`);
    this.#id = id;
    this.#position = position;
  }

  /**
   * Brings the view to where the block is not referred to any more.
   * @throws {BlockCorrupt} when it is referred to again and again.
   */
  async follow(
    { view, follower }: { readonly view: View; readonly follower: Follower },
    tryCount: number,
  ): Promise<void> {
    await follower.follow();
    if (view.position > this.#position || tryCount < TRY_COUNT_MAX) return;
    throw new BlockCorrupt(`Corrupt store: the block ${this.#id} is missing.`);
  }
}

export class BlockReader {
  readonly #blocks: BlockDocuments;
  readonly #view: View;

  constructor(blocks: BlockDocuments, view: View) {
    this.#blocks = blocks;
    this.#view = view;
  }

  /**
   * The rows of blocks of one level, in their order.
   * @throws {BlockGone} when one of them is not there.
   */
  async read(
    level: { readonly number: number; readonly granularity: GranularityName },
    refs: readonly BlockRef[],
    columns?: readonly string[],
  ): Promise<Block> {
    const { position } = this.#view;
    const found = await this.#blocks.read(level.number, level.granularity, refs);
    const parts = found.map((bytes, i) => {
      if (bytes === null) throw new BlockGone(refs[i]!.id, position);
      return bytes;
    });
    return decodeBlocks(parts, (i) => `block ${refs[i]!.id} of ${level.granularity}`, columns);
  }
}
