import { describe, test } from '@jest/globals';
import type { Backend } from '../../src/backends/backend.ts';
import { openBackend } from '../../src/backends/open-backend.ts';
import { conformanceSuite } from '../../src/conformance/index.ts';
import { type BackendName, describeWith } from '../servers/available.ts';

/** Registers the conformance suite on a server's backend; each test gets an empty store of its own. */
export function conformanceOnServer(name: BackendName): void {
  describeWith(name, ({ createStore }) => {
    conformanceSuite({
      describe,
      test,
      factory: async (options) => {
        const store = await createStore();
        let backend = await openBackend(store.url, options);
        const others: Backend[] = [];
        return {
          backend,
          async reopen() {
            await backend.close();
            backend = await openBackend(store.url, options);
            return backend;
          },
          async another() {
            const other = await openBackend(store.url, options);
            others.push(other);
            return other;
          },
          async dispose() {
            await Promise.all([backend, ...others].map((each) => each.close()));
            await store.drop();
          },
        };
      },
    });
  });
}
