import { Datastream } from '../../api/datastream.ts';
import { openStore } from '../command-context.ts';
import { serveJob } from './job-thread.ts';
import {
  type PartProgress,
  type VerifyPart,
  type VerifyResult,
  verifyPart,
} from './verify-part.ts';

/** What a thread is started with. */
export interface VerifyTask {
  readonly storeUrl: string;
  readonly part: VerifyPart;
}

await serveJob<VerifyTask, PartProgress, VerifyResult>(async ({ storeUrl, part }, options) => {
  const datastream = new Datastream(await openStore(storeUrl, options.signal));
  try {
    return await verifyPart(datastream, part, options);
  } finally {
    await datastream.close();
  }
});
