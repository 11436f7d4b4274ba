import type { Tags } from '../../model/tags.ts';
import type { Duplicates } from './duplicate-rows.ts';
import { DEFAULT_NEW_STREAMS, type NewStreamOptions } from './new-streams.ts';

/** How one request is written. */
export interface WriteOptions {
  readonly duplicates: Duplicates;
  /** Whether one problem is enough for nothing to be stored. */
  readonly isStrict: boolean;
  readonly newStreams: NewStreamOptions;
  /** Whether whoever writes may append to a stream. */
  readonly mayAppend: (stream: { readonly id: string; readonly tags: Tags }) => boolean;
  /** Whether he may put other values in the place of those that a stream has. */
  readonly mayReplace: (stream: { readonly id: string; readonly tags: Tags }) => boolean;
  /** Whether he may create one. */
  readonly mayCreate: (tags: Tags) => boolean;
  /** Whether somebody has been told of a stream that was created for him, here or in another process. */
  readonly isOwned: (streamId: string) => boolean;
  /** Told of streams that were created for him. */
  readonly onCreated: (streamIds: readonly string[]) => Promise<void> | void;
}

/** Allows everything. */
export const DEFAULT_WRITE_OPTIONS: WriteOptions = Object.freeze({
  duplicates: 'skip',
  isStrict: false,
  newStreams: DEFAULT_NEW_STREAMS,
  mayAppend: () => true,
  mayReplace: () => true,
  mayCreate: () => true,
  isOwned: () => true,
  onCreated: () => {},
});
