import { SeriesSlot } from './ingest-batch.ts';
import type { Series } from './series.ts';

/** Characters of all names that are remembered, at most. */
const SIZE_MAX = 32 * 1024 * 1024;
/** What a name costs beside its characters. */
const ENTRY_SIZE = 256;

/**
 * Series by what stands for them in the bytes of a protocol, so that they are taken apart once and not with every
 * line. Forgets everything when it has become too large.
 */
export class SeriesMemory<T = SeriesSlot> {
  readonly #entries = new Map<string, T>();
  #size = 0;

  get(name: string): T | undefined {
    return this.#entries.get(name);
  }

  set(name: string, entry: T): T {
    this.noteSize(name.length);
    this.#entries.set(name, entry);
    return entry;
  }

  /** Says that something with a name of that length is held by an entry. */
  noteSize(nameLength: number): void {
    this.#size += nameLength + ENTRY_SIZE;
    if (this.#size > SIZE_MAX) this.clear();
  }

  clear(): void {
    this.#entries.clear();
    this.#size = 0;
  }
}

/** The series by name, made by `make` when it is not remembered. */
export function slotOf(
  memory: SeriesMemory<SeriesSlot>,
  name: string,
  make: () => Series,
): SeriesSlot {
  return memory.get(name) ?? memory.set(name, new SeriesSlot(make()));
}
