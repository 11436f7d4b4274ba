import { assert } from '../../model/assert.ts';
import { padded } from './journal-entry-layout.ts';

const textEncoder = new TextEncoder();

/** By name; a number is every cell of its column. */
type Columns = ReadonlyMap<string, Float64Array | number>;

/** The names of columns as journal entries have them. The same ones come again and again. */
export class ColumnDirectories {
  #names: readonly string[] = [];
  #areConstant: readonly boolean[] = [];
  #latest: Uint8Array = new Uint8Array(0);

  /** `[is constant:u8][size of the name:u8][name]` for each column, padded to 8 bytes. Not to be written to. */
  of(columns: Columns): Uint8Array {
    if (!this.#isLatest(columns)) {
      this.#latest = encoded(columns);
      this.#names = [...columns.keys()];
      this.#areConstant = Array.from(columns.values(), (cells) => typeof cells === 'number');
    }
    return this.#latest;
  }

  #isLatest(columns: Columns): boolean {
    if (columns.size !== this.#names.length) return false;
    let index = 0;
    for (const [name, cells] of columns) {
      if (name !== this.#names[index]) return false;
      if ((typeof cells === 'number') !== this.#areConstant[index]) return false;
      index++;
    }
    return true;
  }
}

function encoded(columns: Columns): Uint8Array {
  const bytes: number[] = [];
  for (const [name, cells] of columns) {
    const text = textEncoder.encode(name);
    assert(text.length <= 0xff, 'the name of a column has 255 bytes at most');
    bytes.push(typeof cells === 'number' ? 1 : 0, text.length, ...text);
  }
  const directory = new Uint8Array(padded(bytes.length));
  directory.set(bytes);
  return directory;
}
