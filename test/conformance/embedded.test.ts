import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from '@jest/globals';
import {
  EmbeddedBackend,
  type EmbeddedTuning,
} from '../../src/backends/embedded/embedded-backend.ts';
import { conformanceSuite, type Factory } from '../../src/conformance/index.ts';

function factory(tuning: EmbeddedTuning): Factory {
  return async (options) => {
    const folder = await mkdtemp(join(tmpdir(), 'datastream-conformance-'));
    const open = async () => {
      const backend = new EmbeddedBackend(folder, { ...options, ...tuning });
      await backend.open();
      return backend;
    };
    let backend = await open();
    const others: EmbeddedBackend[] = [];
    return {
      backend,
      async reopen() {
        await backend.close();
        backend = await open();
        return backend;
      },
      async another() {
        const other = await open();
        others.push(other);
        return other;
      },
      async dispose() {
        for (const other of others) await other.close();
        await backend.close();
        await rm(folder, { recursive: true, force: true });
      },
    };
  };
}

describe('embedded', () => conformanceSuite({ describe, test, factory: factory({}) }));

// The rows of a test move from the journal into blocks at once, and the blocks split.
const TINY = { journalSizeMaxBytes: 2000, sizePerTailBytes: 100, blockRowCountTarget: 16 };
describe('embedded, with a tiny journal and tiny blocks', () =>
  conformanceSuite({ describe, test, factory: factory(TINY) }));
