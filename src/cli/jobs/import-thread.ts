import { createReadStream } from 'node:fs';
import { addAbortSignal } from 'node:stream';
import { readSegments, type SegmentBatch, type SegmentOptions } from '../transfer/segments.ts';
import { Gate } from './gate.ts';
import { serveJob } from './job-thread.ts';

/** What a thread is started with that reads an export ahead. */
export interface ImportTask extends SegmentOptions {
  readonly path: string;
  readonly readSizeBytes: number;
  /** Of the gate that is passed before each batch is sent. */
  readonly gate: SharedArrayBuffer;
}

await serveJob<ImportTask, SegmentBatch, null>(async (task, { signal, onProgress }) => {
  const { path, readSizeBytes, ...options } = task;
  const gate = new Gate(task.gate);
  const file = addAbortSignal(signal, createReadStream(path, { highWaterMark: readSizeBytes }));
  for await (const batch of readSegments(file, options)) {
    gate.pass();
    onProgress(batch, buffersOf(batch));
  }
  return null;
});

function buffersOf({ segments }: SegmentBatch): readonly ArrayBuffer[] {
  return segments.flatMap((segment) =>
    'text' in segment
      ? []
      : [segment.timestamps.buffer as ArrayBuffer, segment.values.buffer as ArrayBuffer],
  );
}
