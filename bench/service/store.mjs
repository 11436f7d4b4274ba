// The store of the service, while the service does not run.
import { join } from 'node:path';
import { Datastream, openBackend } from '../../dist/index.js';

/** What streams are that the service creates when they are written to, by default. */
export const DEFINITION = {
  valueDownsamplers: ['mean', 'min', 'max', 'sum', 'count', 'std_dev'],
  highestGranularity: 'milliseconds',
};

export function storeUrl(folder) {
  return `embedded:${join(folder, 'store')}`;
}

export async function withStore(folder, work, options = {}) {
  const datastream = new Datastream(await openBackend(storeUrl(folder)), options);
  try {
    return await work(datastream);
  } finally {
    await datastream.close();
  }
}
