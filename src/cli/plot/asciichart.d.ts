declare module 'asciichart' {
  interface Configuration {
    readonly min?: number;
    readonly max?: number;
    /** Rows less one. */
    readonly height?: number;
    /** Cells before the curve; the last of them is the axis. */
    readonly offset?: number;
    readonly symbols?: readonly string[];
    readonly format?: (value: number, index: number) => string;
  }
  const asciichart: {
    plot(series: readonly number[], configuration?: Configuration): string;
  };
  export = asciichart;
}
