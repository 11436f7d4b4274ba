import { describe, test } from '@jest/globals';
import { MongodbBackend } from '../../src/backends/mongodb/mongodb-backend.ts';
import { conformanceSuite } from '../../src/conformance/index.ts';
import { describeWith } from '../servers/available.ts';

describeWith('mongodb', ({ createStore }) =>
  conformanceSuite({
    describe,
    test,
    factory: async (options) => {
      const { url, drop } = await createStore();
      const open = async () => {
        const backend = new MongodbBackend(url, options);
        await backend.open();
        return backend;
      };
      let backend = await open();
      return {
        backend,
        async reopen() {
          await backend.close();
          backend = await open();
          return backend;
        },
        async dispose() {
          await backend.close();
          await drop();
        },
      };
    },
  }),
);
