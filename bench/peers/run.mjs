// One engine doing one part of the work once: what it measures, and whether its answers are right.
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { quantile } from '../backends/rounds.mjs';
import { cpuSeconds, peakRssMb, writtenBytes } from './process-usage.mjs';
import { Workload } from './workload.mjs';

const WARM_UP_COUNT = 3;
/** What takes less is repeated, and the median counts. */
const BRIEF_SECONDS = 0.02;
const BRIEF_REPEAT_COUNT = 5;

export class Run {
  #figures = {};
  #failedChecks = [];
  #hash = null;
  #about = '';
  #missing = null;

  constructor({ seed, size, folder }) {
    this.workload = new Workload({ seed, size });
    this.folder = folder;
    /** The process that does the work: a server says here which one it is. */
    this.pid = process.pid;
  }

  /** A new empty folder. */
  makeFolder(name) {
    const folder = join(this.folder, name);
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  /** Says which version is measured, and what it has done when it acknowledges a write. */
  about(text) {
    this.#about = text;
  }

  figure(name, value) {
    if (value !== undefined) this.#figures[name] = value;
  }

  check(name, isRight) {
    if (!isRight) this.#failedChecks.push(name);
  }

  /** Says that the engine cannot do this part. */
  missing(reason) {
    this.#missing = reason;
  }

  /** Adds what was computed to the hash of the results: columns of doubles. */
  result(...columns) {
    this.#hash ??= createHash('sha256');
    for (const { buffer, byteOffset, byteLength } of columns) {
      this.#hash.update(new Uint8Array(buffer, byteOffset, byteLength));
    }
  }

  /** @returns the seconds that the work took. */
  async seconds(work) {
    const startedMs = performance.now();
    await work();
    return (performance.now() - startedMs) / 1000;
  }

  /**
   * The same for work that may be over at once.
   * @param prepare gets 0, 1, …, off the clock
   * @param work gets the same number, and makes something new each time
   */
  async secondsOfBrief({ prepare = () => {}, work }) {
    const taken = [];
    do {
      const repeat = taken.length;
      await prepare(repeat);
      taken.push(await this.seconds(() => work(repeat)));
    } while (taken[0] < BRIEF_SECONDS && taken.length < BRIEF_REPEAT_COUNT);
    return quantile(taken, 0.5);
  }

  /** Measures an ingest of so many points: its rate, and what it wrote and computed for them. */
  async ingest(workloadName, pointCount, work) {
    const writtenBefore = writtenBytes(this.pid);
    const cpuBefore = cpuSeconds(this.pid);
    const seconds = await this.seconds(work);
    this.figure(`${workloadName}_ingest`, pointCount / seconds);
    const written = writtenBytes(this.pid) - writtenBefore;
    // A file system in memory writes nothing.
    if (written > 0) this.figure(`${workloadName}_written`, written / pointCount);
    if (workloadName === 'w2') this.figure('w2_cpu', cpuSeconds(this.pid) - cpuBefore);
    return seconds;
  }

  /** Does a read some times, and takes the median. @returns what the last one gave. */
  async latency(name, count, read) {
    const milliseconds = [];
    let answer;
    for (let i = 0; i < WARM_UP_COUNT + count; i++) {
      const startedMs = performance.now();
      answer = await read(i);
      if (i >= WARM_UP_COUNT) milliseconds.push(performance.now() - startedMs);
    }
    this.figure(name, quantile(milliseconds, 0.5));
    return answer;
  }

  notePeakMemory() {
    this.figure('w2_peak_rss', peakRssMb(this.pid));
  }

  /** All of it; figures only when every answer was right. */
  outcome() {
    return {
      about: this.#about,
      missing: this.#missing,
      failedChecks: this.#failedChecks,
      figures: this.#failedChecks.length === 0 ? this.#figures : {},
      hash: this.#hash?.digest('hex').slice(0, 16) ?? null,
    };
  }
}

/** The stream whose raw data the i-th read asks for: another one each time. */
export function rawReadIndex(i, streamCount) {
  return (i * 37) % streamCount;
}
