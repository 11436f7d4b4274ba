/**
 * What somebody who writes a backend needs: the contract, its checking base class, and the vocabulary
 * of blocks and ranges. Prove it with the suite of `datastream-engine/conformance`.
 * @module
 */
export {
  type Block,
  type Column,
  concatBlocks,
  cutBlock,
  insertRows,
  replaceRows,
  sliceBlock,
} from '../model/block.ts';
export { Granularity } from '../model/granularity.ts';
export type {
  Dependent,
  Derivation,
  DeriveSource,
  LevelState,
  StreamId,
  StreamRecord,
  StreamSnapshot,
} from '../model/stream.ts';
export { matchesTags, type Tags, type TagTerm, tagTerms } from '../model/tags.ts';
export { ALL_TIME, type TimeRange } from '../model/time-range.ts';
export { AbstractBackend } from './abstract-backend.ts';
export {
  type AdvanceWrite,
  type AppendWrite,
  type Backend,
  type BucketWrite,
  type Commit,
  type CommitOutcome,
  type Creation,
  type Expectation,
  type GroupExpectation,
  type GroupedCommit,
  type LeaseOptions,
  type LevelWrite,
  NO_ROW,
  type Page,
  type PageRequest,
  type ReplaceWrite,
  type StreamQuery,
  type StreamVersion,
  type TickWrite,
  type Write,
} from './backend.ts';
export { advancesOf, withoutGaps, withoutGroups } from './grouped-commit.ts';
export type { BackendManifest } from './manifest.ts';
export { pageOf } from './page.ts';
