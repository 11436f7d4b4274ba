import { describe, test } from '@jest/globals';
import { PostgresqlBackend } from '../../src/backends/postgresql/postgresql-backend.ts';
import { conformanceSuite } from '../../src/conformance/index.ts';
import { describeWith } from '../servers/available.ts';

describeWith('postgresql', ({ createStore }) => {
  conformanceSuite({
    describe,
    test,
    factory: async (options) => {
      const store = await createStore();
      const open = async () => {
        const backend = new PostgresqlBackend(store.url, options);
        await backend.open();
        return backend;
      };
      let backend = await open();
      const reopen = async () => {
        await backend.close();
        backend = await open();
        return backend;
      };
      const dispose = () => backend.close().then(store.drop);
      return { backend, reopen, dispose };
    },
  });
});
