import type { Backend } from '../backends/backend.ts';
import { Copy } from '../engine/copy.ts';
import { selectForCopy } from '../engine/copy-selection.ts';
import { checkCopyOptions } from './option-checks.ts';
import { selectSnapshots } from './streams.ts';
import { checkQuery } from './tag-checks.ts';
import type { CopyOptions, CopyReport } from './types.ts';

const DEFAULT_CONCURRENCY = 8;

/**
 * Copies streams with their ids, tags, derivations, levels and data into another open store. A call that
 * was broken off, also by a kill, is taken up by the next one; one on a finished copy writes nothing but
 * what the source has got since. Streams become visible in the target when they are complete, those that
 * are tied by derivation together; nobody else should write to them before.
 * @throws {NotSupported} when the target cannot hold a stream, unless those are to be skipped.
 * @throws {OutstandingDependenciesError} when a source of a selected stream is not selected.
 * @throws {InconsistentStreamConfiguration} when the target has other streams, or other data, under ids of
 * the source's streams.
 * @throws {StreamAppendContended} when the source changes faster than it can be followed.
 */
export async function copyStreams(
  from: Backend,
  to: Backend,
  options: CopyOptions = {},
): Promise<CopyReport> {
  checkCopyOptions(options);
  const { queryTags, concurrency = DEFAULT_CONCURRENCY, skipUnsupported = false } = options;
  const { signal, onProgress } = options;
  // Stores that live in a process are different ones under one name.
  const areLasting = from.supports.durable && to.supports.durable;
  if (from === to || (areLasting && from.location === to.location))
    throw new RangeError('A store cannot be copied to itself.');
  signal?.throwIfAborted();
  const route = { from, to };
  const pages = selectSnapshots(from, checkQuery(queryTags));
  const { streams, unsupported } = await selectForCopy(route, pages, { skipUnsupported, signal });
  const copy = new Copy(route, {
    streams,
    concurrency,
    signal,
    onProgress: (progress) => onProgress?.(progress),
  });
  const { copiedCount, rowCount } = await copy.run();
  return { streamCount: streams.length, copiedCount, rowCount, unsupported };
}
