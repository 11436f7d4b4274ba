/** Bytes since the interface came up. */
export interface InterfaceCounters {
  readonly name: string;
  readonly rxBytes: number;
  readonly txBytes: number;
}

/** What a host says about itself at one moment; null where it could not be read. */
export interface Sample {
  /** Runnable processes, averaged over a minute. */
  readonly load: number | null;
  readonly cpuPercent: number | null;
  /** Without buffers and caches. */
  readonly memoryUsedBytes: number | null;
  readonly memoryFreeBytes: number | null;
  /** Whole seconds. */
  readonly uptimeSeconds: number | null;
  readonly interfaces: readonly InterfaceCounters[] | null;
  /** Why something is null; empty when everything could be read. */
  readonly failures: readonly string[];
}

/** Where `collect` takes its samples. */
export interface Sampler {
  /** Names the host in the tags of its streams. */
  readonly host: string;
  sample(): Promise<Sample>;
}
