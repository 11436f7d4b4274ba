/** A server in a folder and on a loopback port of its own, for tests that may kill it. */
export interface TestServer {
  /** Where clients connect; names no database that has to be created. Stays over restarts. */
  readonly url: string;
  /**
   * The same server for a role that has to give its password, with the right one in it.
   * Null where the server asks nobody for a password.
   */
  readonly passwordUrl: string | null;
  readonly port: number;
  /** Holds everything that the server writes, its log in `server.log`. */
  readonly folder: string;
  /** The process that listens, or null while none runs. */
  readonly pid: number | null;
  /** Ends every process of the server with SIGKILL; the folder stays for `restart()`. */
  kill(): Promise<void>;
  /** Freezes every process of the server: connections stand, and nothing answers. */
  pause(): void;
  /** Lets a frozen server go on. */
  resume(): void;
  /** Starts again in the same folder, on the same port; a server that still runs is ended in order. */
  restart(): Promise<void>;
  /** Ends the server in order and removes its folder. A repeat does nothing. */
  stop(): Promise<void>;
}

/** What a test may ask of a server that it starts; each server minds what concerns it. */
export interface StartOptions {
  /** InfluxDB alone: nobody gets in without a password (`passwordUrl` has one). False. */
  readonly isAuthRequired?: boolean;
}

/** A way to run one server program, if it is on this machine. */
export interface ServerProgram {
  /** Says why the program cannot be started here, or null when it can. Reads the file system only. */
  missingReason(): string | null;
  /** Resolves when a client has been answered. */
  start(options?: StartOptions): Promise<TestServer>;
}
