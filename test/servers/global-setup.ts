import { PROGRAMS } from './programs.ts';
import {
  givenUrlVariable,
  isLeftOut,
  missingReasonVariable,
  SERVER_NAMES,
  SERVERS_OF_BACKEND,
  type ServerName,
  sharedUrlVariable,
} from './registry.ts';
import type { TestServer } from './test-server.ts';

/** What this run has started, for the teardown. */
export const RUNNING: TestServer[] = [];

/**
 * Starts the servers that the test run shares, all at once, and tells the tests by environment variables.
 * Prints one line for each backend that the run does not cover.
 * @throws {Error} when a server is missing and REQUIRE_SERVERS is 1.
 */
export default async function startSharedServers(): Promise<void> {
  await Promise.all(SERVER_NAMES.map(provide));
  for (const [backend, servers] of Object.entries(SERVERS_OF_BACKEND)) {
    const reason = missingReasonOf(servers);
    if (reason !== '') console.log(`not covered: ${backend}: ${reason}`);
  }
  const missing = missingReasonOf(SERVER_NAMES);
  if (process.env['REQUIRE_SERVERS'] === '1' && missing !== '') {
    await Promise.all(RUNNING.map((server) => server.stop()));
    throw new Error(`REQUIRE_SERVERS is 1, and servers are missing: ${missing}`);
  }
}

/** Sets one of the two variables of a server: its URL, or why there is none. */
async function provide(server: ServerName): Promise<void> {
  // Left over from a run that started this one, they would name servers that may be gone.
  delete process.env[sharedUrlVariable(server)];
  delete process.env[missingReasonVariable(server)];
  // An empty variable is how shells and CI files unset one.
  const given = process.env[givenUrlVariable(server)] || undefined;
  const reason = isLeftOut(server)
    ? `${server} is left out by TEST_SERVERS`
    : given === undefined && PROGRAMS[server].missingReason();
  if (reason) {
    process.env[missingReasonVariable(server)] = reason;
    return;
  }
  try {
    process.env[sharedUrlVariable(server)] = given ?? (await start(server));
  } catch (error) {
    process.env[missingReasonVariable(server)] = (error as Error).message.replaceAll('\n', ' | ');
  }
}

async function start(server: ServerName): Promise<string> {
  const running = await PROGRAMS[server].start();
  RUNNING.push(running);
  return running.url;
}

function missingReasonOf(servers: readonly ServerName[]): string {
  const reasons = servers.map((server) => process.env[missingReasonVariable(server)]);
  return reasons.filter((reason) => reason !== undefined).join('; ');
}
