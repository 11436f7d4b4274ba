import { RUNNING } from './global-setup.ts';

/** Stops what the setup has started; servers that were given by a URL are left alone. */
export default async function stopSharedServers(): Promise<void> {
  await Promise.all(RUNNING.splice(0).map((server) => server.stop()));
}
