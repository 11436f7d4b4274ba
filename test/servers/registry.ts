/** The server programs that tests can talk to. `mongodb` is whatever speaks its wire protocol. */
export type ServerName = 'postgresql' | 'influxdb' | 'mongodb' | 'redis';

/** Backends whose conformance needs servers, by the scheme of their URL. */
export type BackendName = 'postgresql' | 'influxdb' | 'mongodb';

/** The servers that a backend needs, the one that gives the store's URL its host first. */
export const SERVERS_OF_BACKEND: Readonly<Record<BackendName, readonly ServerName[]>> = {
  postgresql: ['postgresql'],
  influxdb: ['influxdb', 'postgresql'],
  mongodb: ['mongodb'],
};

/** Every server program, each once. */
export const SERVER_NAMES: readonly ServerName[] = ['postgresql', 'influxdb', 'mongodb', 'redis'];

/** Names the variable with which a developer points the tests at a server that runs already. */
export function givenUrlVariable(server: ServerName): string {
  return `${server.toUpperCase()}_URL`;
}

/** Names the variable in which a test run finds the URL of the server that it shares. */
export function sharedUrlVariable(server: ServerName): string {
  return `DATASTREAM_TEST_${server.toUpperCase()}_URL`;
}

/** Names the variable that says why a test run has no such server. */
export function missingReasonVariable(server: ServerName): string {
  return `DATASTREAM_TEST_${server.toUpperCase()}_MISSING`;
}

/**
 * Says whether TEST_SERVERS leaves a server out: it is `none`, or a comma list of the backends and
 * servers wanted. Unset, it leaves nothing out.
 */
export function isLeftOut(server: ServerName): boolean {
  const wanted = process.env['TEST_SERVERS'];
  if (wanted === undefined || wanted === '') return false;
  const serversOf: Readonly<Record<string, readonly ServerName[]>> = SERVERS_OF_BACKEND;
  return !wanted.split(',').some((name) => name === server || serversOf[name]?.includes(server));
}
