import { randomBytes } from 'node:crypto';
import { StreamAppendFailed } from '../../exceptions/errors.ts';
import { assert } from '../../model/assert.ts';
import type { Commit, CommitOutcome } from '../backend.ts';
import type { BlockDocuments, NewBlock } from './block-documents.ts';
import { BlockGone } from './block-reader.ts';
import { Draft, type DraftOutcome, type DraftSource } from './draft.ts';
import {
  type Changes,
  decodeChanges,
  type EncodedChanges,
  type EntryHeader,
  encodeChanges,
  NO_CHANGES,
} from './entry.ts';
import type { Follower } from './follower.ts';
import { groupBy } from './group-by.ts';
import { entryOf, isTooLarge, type Journal, OutcomeUnknown } from './journal.ts';
import { Turns } from './turns.ts';
import type { View } from './view.ts';

/** Commits that share an entry, at most: nobody waits long for the first of many. */
const GROUP_COUNT_MAX = 1024;
/** About how many rows the commits of one entry bring. */
const GROUP_ROW_COUNT_MAX = 100_000;

export interface QueueParts {
  readonly view: View;
  readonly follower: Follower;
  readonly journal: Journal;
  readonly blocks: BlockDocuments;
  /** A source as of where the view is now. */
  readonly draftSource: () => DraftSource;
  /** Called after each entry that went in. */
  readonly onEntry: () => void;
}

/** How far floors move, at least; they never move back. */
export interface Floors {
  readonly floor: number;
  readonly trimmed: number;
  readonly cleared: number;
  readonly checkpointMs: number;
}

interface Waiting {
  readonly commit: Commit;
  resolve(outcome: CommitOutcome): void;
  reject(error: unknown): void;
}

interface Prepared {
  readonly header: EntryHeader;
  readonly changes: Changes;
  readonly encoded: EncodedChanges;
}

/** Puts commits into the journal, those that wait together as one entry. */
export class WriteQueue {
  readonly #parts: QueueParts;
  readonly #turns = new Turns();
  #waiting: Waiting[] = [];
  /** The end of the work so far: entries go in one after the other. */
  #work: Promise<void> = Promise.resolve();
  #isScheduled = false;

  constructor(parts: QueueParts) {
    this.#parts = parts;
  }

  add(commit: Commit): Promise<CommitOutcome> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ commit, resolve, reject });
      if (this.#isScheduled) return;
      this.#isScheduled = true;
      this.#work = this.#work.then(() => this.#writeWaiting());
    });
  }

  /** Moves the floors, in an entry of its own. */
  addCheckpoint(floors: Floors): Promise<void> {
    const work = this.#work.then(() => this.#writeCheckpoint(floors));
    this.#work = work.catch(() => {});
    return work;
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.#work;
  }

  async #writeWaiting(): Promise<void> {
    this.#isScheduled = false;
    while (this.#waiting.length > 0) {
      const group = this.#takeGroup();
      await this.#writeGroup(group);
    }
  }

  #takeGroup(): readonly Waiting[] {
    let rowCount = 0;
    let count = 0;
    while (count < this.#waiting.length && count < GROUP_COUNT_MAX) {
      rowCount += rowCountOf(this.#waiting[count]!.commit);
      if (count > 0 && rowCount > GROUP_ROW_COUNT_MAX) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  /** One that fails does so alone: the others are tried again without it. */
  async #writeGroup(group: readonly Waiting[]): Promise<void> {
    try {
      const outcomes = await this.#commitGroup(group.map(({ commit }) => commit));
      for (const [i, { resolve }] of group.entries()) resolve(outcomes[i]!);
    } catch (error) {
      if (group.length === 1 || isStoreWide(error)) {
        for (const { reject } of group) reject(error);
        return;
      }
      const half = group.length >> 1;
      await this.#writeGroup(group.slice(0, half));
      await this.#writeGroup(group.slice(half));
    }
  }

  async #commitGroup(commits: readonly Commit[]): Promise<readonly CommitOutcome[]> {
    for (let tryCount = 1; ; tryCount++) {
      await this.#turns.begin();
      const { view, follower, draftSource } = this.#parts;
      // After a long rest others may have trimmed numbers above the view: one of those would be taken late.
      if (!follower.isTrusted) await follower.follow();
      const source = draftSource();
      const outcomes: CommitOutcome[] = [];
      const draft = new Draft(source);
      const isDrafted = await this.#draftAll(draft, commits, { outcomes, tryCount });
      if (isDrafted && draft.isEmpty) {
        // Nothing goes in that would prove the view to be at the tip.
        await follower.follow();
        if (view.position === source.position) return outcomes;
      } else if (isDrafted && (await this.#writeDraft(draft, source.position))) {
        return outcomes;
      }
    }
  }

  /** False when the view has lost what the draft was made upon. */
  async #draftAll(
    draft: Draft,
    commits: readonly Commit[],
    { outcomes, tryCount }: { readonly outcomes: CommitOutcome[]; readonly tryCount: number },
  ): Promise<boolean> {
    try {
      for (const commit of commits) {
        const conflicts: DraftOutcome = await draft.add(commit);
        outcomes.push(
          conflicts === null
            ? { isCommitted: true, version: draft.version }
            : { isCommitted: false, conflicts },
        );
      }
      return true;
    } catch (error) {
      if (!(error instanceof BlockGone)) throw error;
      await error.follow(this.#parts, tryCount);
      return false;
    }
  }

  async #writeDraft(draft: Draft, position: number): Promise<boolean> {
    const { view, blocks: blockDocuments, follower } = this.#parts;
    const { changes, blocks } = draft.finish();
    if (view.position !== position) return false;
    const { last } = view;
    const header = { ...last, streamCount: draft.streamCount, checkpointMs: null };
    const prepared = this.#prepare(header, changes);
    if (isTooLarge(prepared.encoded)) {
      throw new StreamAppendFailed(
        'The commit is too large for one document of the journal (11 MiB). Append fewer rows at a time.',
      );
    }
    await blockDocuments.write(blocks);
    if (view.position === position && (await this.#insert(prepared))) return true;
    this.#discard(blocks);
    await follower.follow();
    return false;
  }

  async #writeCheckpoint(floors: Floors): Promise<void> {
    const { view, follower } = this.#parts;
    for (;;) {
      if (!follower.isTrusted) await follower.follow();
      const { last } = view;
      const header = {
        ...last,
        floor: Math.max(last.floor, floors.floor),
        trimmed: Math.max(last.trimmed, floors.trimmed),
        cleared: Math.max(last.cleared, floors.cleared),
        checkpointMs: floors.checkpointMs,
      };
      if (await this.#insert(this.#prepare(header, NO_CHANGES))) return;
      await follower.follow();
    }
  }

  #prepare(header: EntryHeader, changes: Changes): Prepared {
    const { last } = this.#parts.view;
    const next = {
      seq: last.seq + 1,
      token: randomBytes(12).toString('base64url'),
      previousToken: last.token,
      floor: header.floor,
      trimmed: header.trimmed,
      cleared: header.cleared,
      streamCount: header.streamCount,
      checkpointMs: header.checkpointMs,
    };
    return { header: next, changes, encoded: encodeChanges(changes) };
  }

  /** Whether the entry is in, for good. */
  async #insert({ header, encoded }: Prepared): Promise<boolean> {
    const { journal, follower, view, onEntry } = this.#parts;
    const startMs = this.#turns.nowMs();
    const { isInserted, isRepeated } = await journal.insert(header, encoded);
    this.#turns.end({ isWon: isInserted, durationMs: this.#turns.nowMs() - startMs });
    if (!isInserted) return false;
    if (!follower.isTrusted && !(await follower.isAlive(header.seq))) {
      await this.#takeBack(header, isRepeated);
      return false;
    }
    if (view.position < header.seq) {
      // From the bytes, as every other process sees it.
      const changes = decodeChanges(encoded, `journal entry ${header.seq}`);
      const sizeBytes = encoded.text.length + encoded.rows.length;
      assert(view.position === header.seq - 1, 'an entry goes in right after the view');
      view.apply(entryOf(header, changes, sizeBytes));
    }
    onEntry();
    return true;
  }

  /**
   * Removes an entry that went in under a number that others had had, applied and removed.
   * @throws {OutcomeUnknown} when it may as well have been the one that was applied.
   */
  async #takeBack(header: EntryHeader, isRepeated: boolean): Promise<void> {
    const { journal, follower } = this.#parts;
    const newest = await journal.newest();
    // What is still there after all entries up to its number were removed, came later.
    const wasCleared = newest !== null && newest.cleared >= header.seq;
    const isLate = wasCleared && !isRepeated && (await journal.remove(header));
    await follower.reset();
    if (!isLate) throw new OutcomeUnknown();
  }

  /** Blocks that no entry refers to are seen by nobody: to leave one behind costs room, nothing else. */
  #discard(blocks: readonly NewBlock[]): void {
    for (const [granularity, group] of groupBy(blocks, (block) => block.granularity)) {
      const ids = group.map(({ ref }) => ref.id);
      this.#parts.blocks.remove(granularity, ids).catch(() => {});
    }
  }
}

function rowCountOf({ writes = [] }: Commit): number {
  let count = 1;
  for (const write of writes) {
    count += write.kind === 'tick' ? write.values.length : write.block.timestamps.length;
  }
  return count;
}

/** A store that does not answer would answer no part of the group either; and what may be in stays. */
function isStoreWide(error: unknown): boolean {
  if (error instanceof OutcomeUnknown) return true;
  return String((error as { name?: unknown }).name).startsWith('Mongo');
}
