import { describe, test } from '@jest/globals';
import { MemoryBackend } from '../../src/backends/memory/memory-backend.ts';
import { conformanceSuite } from '../../src/conformance/index.ts';

conformanceSuite({
  describe,
  test,
  factory: async (options) => {
    const backend = new MemoryBackend(options);
    await backend.open();
    return { backend, dispose: () => backend.close() };
  },
});
