import protobuf from 'protobufjs/minimal.js';

interface TimeSeries {
  readonly labels: readonly (readonly [string, string])[];
  readonly samples?: readonly (readonly [value: number | 'stale', ms: number])[];
  readonly histogramCount?: number;
  /** Whether fields stand in the other order. */
  readonly isReversed?: boolean;
}

const STALE_MARKER = Buffer.from('020000000000f07f', 'hex');

/** A sample. Bytes of a value: JavaScript need not keep those of a NaN. */
export function sampleBytes(value: number | 'stale', ms: number): Uint8Array {
  const writer = protobuf.Writer.create();
  writer.uint32(9).double(0).uint32(16).int64(ms);
  const bytes = Buffer.from(writer.finish());
  if (value === 'stale') bytes.set(STALE_MARKER, 1);
  else bytes.writeDoubleLE(value, 1);
  return bytes;
}

/** A time series. */
export function seriesBytes({
  labels,
  samples = [],
  histogramCount = 0,
  isReversed,
}: TimeSeries): Uint8Array {
  const writer = protobuf.Writer.create();
  const parts: (() => void)[] = [
    ...labels.map(([name, value]) => () => {
      writer.uint32(10).fork().uint32(10).string(name).uint32(18).string(value).ldelim();
    }),
    ...samples.map(([value, ms]) => () => {
      writer.uint32(18).bytes(sampleBytes(value, ms));
    }),
    ...Array.from({ length: histogramCount }, () => () => {
      writer.uint32(34).bytes(Buffer.of(8, 1));
    }),
    () => writer.uint32(26).bytes(Buffer.of(1, 2, 3)),
  ];
  for (const part of isReversed === true ? parts.reverse() : parts) part();
  return writer.finish();
}

/** A `prometheus.WriteRequest`, not compressed. */
export function message(
  series: readonly TimeSeries[],
  metadata: readonly (readonly [family: string, type: number])[] = [],
): Buffer {
  const writer = protobuf.Writer.create();
  for (const one of series) writer.uint32(10).bytes(seriesBytes(one));
  for (const [family, type] of metadata) {
    writer
      .uint32(26)
      .fork()
      .uint32(8)
      .int32(type)
      .uint32(18)
      .string(family)
      .uint32(34)
      .string('help')
      .ldelim();
  }
  return Buffer.from(writer.finish());
}
