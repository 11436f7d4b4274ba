import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { BatchWriter } from './batch-writer.ts';
import { GraphiteParser } from './graphite.ts';
import { IngestBatch, type SeriesRows, type SeriesSlot } from './ingest-batch.ts';
import { Problems } from './problems.ts';
import { SeriesMemory } from './series-memory.ts';
import type { WriteOptions } from './write-options.ts';
import { type WriteOutcome, WriteReport } from './write-report.ts';

/** How long a connection without news is read from when the server stops: what is on its way still comes in. */
const LAST_WORDS_MS = 50;
/** Time between tries to write to a store that is away. */
const RETRY_MS = 1000;

export interface GraphiteServerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly write: WriteOptions;
  /** How long datapoints wait for others, at most. Default: 100. */
  readonly flushMs?: number;
  /** Datapoints that wait until nothing more is read. Default: 50,000. */
  readonly waitingRowCountMax?: number;
  /** Default: 4096. */
  readonly lineSizeMaxBytes?: number;
  /** Default: 1000. */
  readonly connectionCountMax?: number;
  /** A connection without data for so long is closed. Default: 10 minutes. */
  readonly idleMs?: number;
  readonly nowMs: () => number;
  /** Told what became of datapoints and lines since it was told last. */
  readonly onWritten?: (counts: Pick<WriteOutcome, 'accepted' | 'duplicate' | 'dropped'>) => void;
  /** Told about what the store says when it does not take datapoints; they are tried again. */
  readonly onError?: (error: unknown) => void;
}

/** What has happened since the start. */
export interface GraphiteCounters {
  readonly connections: number;
  readonly openConnections: number;
  readonly receivedBytes: number;
  readonly accepted: number;
  readonly duplicate: number;
  readonly dropped: number;
  /** Datapoints that are not written yet. */
  readonly waiting: number;
  readonly failedWrites: number;
  /** Datapoints that were lost because the store was away when the server stopped. */
  readonly lost: number;
}

/**
 * Takes the plaintext of Graphite over TCP. Nobody is answered: datapoints that the store does not take are tried
 * again, and meanwhile nothing is read, so that senders wait. When it stops, everything that was read is written.
 */
export class GraphiteServer {
  readonly #writer: BatchWriter;
  readonly #options: Required<GraphiteServerOptions>;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #memory = new SeriesMemory<SeriesSlot>();
  /** Counts what parsers refuse; nobody reads the texts. */
  readonly #problems = new Problems(0);
  readonly #batch: IngestBatch;
  #timer: NodeJS.Timeout | null = null;
  #flushing: Promise<void> | null = null;
  /** Datapoints that are being written. */
  #writingRowCount = 0;
  #stopAtMs = Number.POSITIVE_INFINITY;
  #connectionCount = 0;
  #receivedSizeBytes = 0;
  #acceptedCount = 0;
  #duplicateCount = 0;
  #droppedCount = 0;
  #failedWriteCount = 0;
  #lostCount = 0;
  /** Refused lines that were told. */
  #toldProblemCount = 0;

  constructor(writer: BatchWriter, options: GraphiteServerOptions) {
    this.#writer = writer;
    this.#options = {
      flushMs: 100,
      waitingRowCountMax: 50_000,
      lineSizeMaxBytes: 4096,
      connectionCountMax: 1000,
      idleMs: 600_000,
      onWritten: () => {},
      onError: () => {},
      ...options,
    };
    this.#batch = new IngestBatch(this.#problems);
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.maxConnections = this.#options.connectionCountMax;
  }

  /** Resolves when connections are taken. @throws when the address is taken, or is none. */
  listen(): Promise<void> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', reject);
        this.#server.on('error', this.#options.onError);
        resolve();
      });
    });
  }

  /** Where it listens; null while it does not. */
  get port(): number | null {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : null;
  }

  get counters(): GraphiteCounters {
    return {
      connections: this.#connectionCount,
      openConnections: this.#sockets.size,
      receivedBytes: this.#receivedSizeBytes,
      accepted: this.#acceptedCount,
      duplicate: this.#duplicateCount,
      dropped: this.#droppedCount + this.#problems.count,
      waiting: this.#waitingRowCount,
      failedWrites: this.#failedWriteCount,
      lost: this.#lostCount,
    };
  }

  /**
   * Takes no more connections, reads what is on its way, and writes all that was read.
   * @param graceMs for how long a store that is away is tried.
   */
  async stop(graceMs: number): Promise<void> {
    this.#stopAtMs = performance.now() + graceMs;
    // Connections that the system has taken, and that are still to be told of, would be cut off.
    for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await this.#allRead();
    await this.#writeAll();
    await closed;
  }

  get #waitingRowCount(): number {
    return this.#batch.rowCount + this.#writingRowCount;
  }

  #accept(socket: Socket): void {
    const { lineSizeMaxBytes, idleMs, nowMs } = this.#options;
    const parser = new GraphiteParser(this.#batch, {
      nowMs,
      recordSizeMaxBytes: lineSizeMaxBytes,
      memory: this.#memory,
    });
    this.#connectionCount++;
    this.#sockets.add(socket);
    if (this.#isFull) socket.pause();
    socket.setTimeout(idleMs, () => socket.destroy());
    socket.on('data', (bytes) => {
      this.#receivedSizeBytes += bytes.length;
      parser.push(bytes);
      this.#plan();
    });
    // A last line may lack its end; one that is broken off with its connection is no line.
    socket.on('end', () => {
      parser.end();
      this.#plan();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
  }

  get #isFull(): boolean {
    return this.#waitingRowCount >= this.#options.waitingRowCountMax;
  }

  /** Sees to it that what was read is written soon. */
  #plan(): void {
    if (this.#isFull) {
      for (const socket of this.#sockets) socket.pause();
      void this.#writeAll();
    } else if (this.#batch.rowCount > 0) {
      this.#timer ??= setTimeout(() => void this.#writeAll(), this.#options.flushMs);
    }
  }

  /** Resolves when nothing waits any more. */
  #writeAll(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#flushing ??= this.#writeParts().finally(() => {
      this.#flushing = null;
    });
    return this.#flushing;
  }

  async #writeParts(): Promise<void> {
    while (this.#batch.rowCount > 0) {
      this.#writingRowCount = this.#batch.rowCount;
      await this.#writePart(this.#batch.take());
      this.#writingRowCount = 0;
      for (const socket of this.#sockets) socket.resume();
    }
  }

  /** Tries until the store takes it, or the time to stop is over. */
  async #writePart(rows: readonly SeriesRows[]): Promise<void> {
    for (;;) {
      const report = new WriteReport({ problemCountMax: 0 });
      try {
        await this.#writer.write(rows, report, this.#options.write);
        const { accepted, duplicate, dropped } = report.outcome();
        this.#acceptedCount += accepted;
        this.#duplicateCount += duplicate;
        this.#droppedCount += dropped;
        const { count } = this.#problems;
        const refused = count - this.#toldProblemCount;
        this.#toldProblemCount = count;
        this.#options.onWritten({ accepted, duplicate, dropped: dropped + refused });
        return;
      } catch (error) {
        this.#failedWriteCount++;
        this.#options.onError(error);
      }
      const leftMs = this.#stopAtMs - performance.now();
      if (leftMs <= 0) {
        this.#lostCount += this.#writingRowCount;
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, Math.min(RETRY_MS, leftMs)));
    }
  }

  /** Closes connections when nothing more comes from them. */
  async #allRead(): Promise<void> {
    let receivedSizeBytes = -1;
    while (this.#sockets.size > 0 && receivedSizeBytes !== this.#receivedSizeBytes) {
      receivedSizeBytes = this.#receivedSizeBytes;
      await this.#writeAll();
      await new Promise((resolve) => setTimeout(resolve, LAST_WORDS_MS));
      if (performance.now() > this.#stopAtMs) break;
    }
    const closed = Array.from(this.#sockets, (socket) => once(socket, 'close'));
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closed);
  }
}
