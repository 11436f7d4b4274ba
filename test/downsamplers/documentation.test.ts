import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import {
  DISTINCT_EXACT_COUNT_MAX,
  DISTINCT_STANDARD_ERROR,
} from '../../src/downsamplers/distinct-state.ts';
import { FREQUENCY_VALUE_COUNT_MAX } from '../../src/downsamplers/frequency-state.ts';
import {
  MEDIAN_EXACT_COUNT_MAX,
  MEDIAN_RELATIVE_ERROR,
} from '../../src/downsamplers/median-state.ts';
import { TIME_DOWNSAMPLERS, VALUE_DOWNSAMPLERS } from '../../src/downsamplers/registry.ts';

const page = await readFile(
  new URL('../../docs/reference/downsamplers.md', import.meta.url),
  'utf8',
);

/** First cells of the table rows under a heading. */
function rowsUnder(heading: string): readonly (readonly string[])[] {
  const section = page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
}

const plain = (cell: string | undefined): string => (cell ?? '').replaceAll('`', '');

describe('docs/reference/downsamplers.md', () => {
  test('lists exactly the value downsamplers, with letters, value types and state', () => {
    expect(rowsUnder('Value downsamplers').map((cells) => cells.slice(0, 4).map(plain))).toEqual(
      VALUE_DOWNSAMPLERS.map(({ name, letter, valueTypes, requires }) => [
        name,
        letter,
        valueTypes.join(', '),
        requires.length === 0 ? '—' : requires.join(', '),
      ]),
    );
  });

  test('names the state columns of each', () => {
    expect(rowsUnder('Value downsamplers').map((cells) => plain(cells[4]))).toEqual(
      VALUE_DOWNSAMPLERS.map(({ plain: { components }, decimal }) =>
        decimal === null || components.join() === decimal.components.join()
          ? components.join(', ')
          : `${components.join(', ')}; decimal: ${decimal.components.join(', ')}`,
      ),
    );
    expect(rowsUnder('Time downsamplers').map((cells) => plain(cells[2]))).toEqual(
      TIME_DOWNSAMPLERS.map(({ components }) => components.join(', ')),
    );
  });

  test('lists exactly the time downsamplers, with letters', () => {
    expect(rowsUnder('Time downsamplers').map((cells) => cells.slice(0, 2).map(plain))).toEqual(
      TIME_DOWNSAMPLERS.map(({ name, letter }) => [name, letter]),
    );
  });

  test('leaves no cell empty', () => {
    const rows = [...rowsUnder('Value downsamplers'), ...rowsUnder('Time downsamplers')];
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.flat().filter((cell) => cell === '')).toEqual([]);
  });

  test('states the limits that the code has', () => {
    expect(page).toContain(`at most ${MEDIAN_EXACT_COUNT_MAX} values`);
    expect(page).toContain(`within ${MEDIAN_RELATIVE_ERROR * 100} %`);
    expect(page).toContain(`exact up to ${DISTINCT_EXACT_COUNT_MAX} values`);
    expect(page).toContain(`a standard error of ${DISTINCT_STANDARD_ERROR * 100} %`);
    expect(page).toContain(`${FREQUENCY_VALUE_COUNT_MAX.toLocaleString('en')} distinct values`);
  });
});
