import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from '@jest/globals';
import type { Backend, Commit, CommitOutcome } from '../../src/backends/backend.ts';
import { EmbeddedBackend } from '../../src/backends/embedded/embedded-backend.ts';
import type { BackendManifest } from '../../src/backends/manifest.ts';
import { MemoryBackend } from '../../src/backends/memory/memory-backend.ts';

/** A memory store that can do less, and whose commits can be interfered with. */
class OtherBackend extends MemoryBackend {
  override readonly supports: BackendManifest;
  beforeCommit: ((commit: Commit) => Promise<void>) | null = null;
  #isMeddling = false;

  constructor(supports: Partial<BackendManifest> = {}) {
    super();
    this.supports = { ...new MemoryBackend().supports, ...supports };
  }

  protected override async _commit(commit: Commit): Promise<CommitOutcome> {
    if (this.beforeCommit !== null && !this.#isMeddling) {
      this.#isMeddling = true;
      await this.beforeCommit(commit);
      this.#isMeddling = false;
    }
    return super._commit(commit);
  }
}

/** Repeats each third commit, as if the answer to it had not come. */
export class ForgetfulBackend extends MemoryBackend {
  lostCount = 0;
  #commitCount = 0;

  protected override async _commit(commit: Commit): Promise<CommitOutcome> {
    this.#commitCount++;
    if (this.#commitCount % 3 === 1) {
      this.lostCount++;
      const ids = (commit.create ?? []).map(({ record }) => record.id);
      const outcome = await super._commit(commit);
      // A server refuses what it has already created.
      return ids.length > 0 && outcome.isCommitted
        ? { isCommitted: false, conflicts: ids }
        : super._commit(commit);
    }
    return super._commit(commit);
  }
}

/** Opens stores for one test each. */
export interface CopyStores {
  opening<Opened extends Backend>(backend: Opened): Promise<Opened>;
  memory(supports?: Partial<BackendManifest>): Promise<OtherBackend>;
  embedded(name: string): Promise<EmbeddedBackend>;
}

/** For the tests of a file: what they open is closed, and deleted, after each. */
export function copyStores(): CopyStores {
  let folder: string;
  const opened: Backend[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'datastream-copy-'));
  });

  afterEach(async () => {
    for (const backend of opened.splice(0)) await backend.close();
    await rm(folder, { recursive: true, force: true });
  });

  const opening = async <Opened extends Backend>(backend: Opened): Promise<Opened> => {
    await backend.open();
    opened.push(backend);
    return backend;
  };
  return {
    opening,
    memory: (supports) => opening(new OtherBackend(supports)),
    embedded: (name) => opening(new EmbeddedBackend(join(folder, name))),
  };
}
