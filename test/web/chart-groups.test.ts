import { describe, expect, test } from '@jest/globals';
import type { Tags } from '../../web/src/api/types.ts';
import { chartGroups } from '../../web/src/chart/chart-groups.ts';
import { drawnLevels } from '../../web/src/chart/drawn-levels.ts';
import { axisTitle, visualizationOf } from '../../web/src/chart/visualization.ts';
import { streamOf } from './streams.ts';

function drawn(id: string, visualization: Tags, tags: Tags = {}) {
  return streamOf(id, { ...tags, visualization });
}

function ids(streams: Parameters<typeof chartGroups>[0]) {
  return chartGroups(streams).map(({ lines, events }) => ({
    lines: lines.map(({ id }) => id),
    events: events.map(({ id }) => id),
  }));
}

describe('charts that build themselves from tags', () => {
  test('leave out streams that say nothing, or want to be hidden', () => {
    const streams = [
      streamOf('plain', { title: 'x' }),
      drawn('hidden', { type: 'line', hidden: true }),
      drawn('odd', { type: 'pie' }),
      drawn('shown', { type: 'line' }),
    ];
    expect(ids(streams)).toEqual([{ lines: ['shown'], events: [] }]);
  });

  test('are shared by streams that want each other', () => {
    const wish = { type: 'line', with: { room: 'cellar' } };
    const streams = [
      drawn('a', wish, { room: 'cellar' }),
      drawn('b', wish, { room: 'cellar' }),
      drawn('c', { type: 'line' }, { room: 'cellar' }),
    ];
    expect(ids(streams)).toEqual([
      { lines: ['a', 'b'], events: [] },
      { lines: ['c'], events: [] },
    ]);
  });

  test('are not shared where unit, minimum or maximum differ', () => {
    const wish = { type: 'line', with: { room: 'x' } };
    expect(
      ids([
        drawn('a', wish, { room: 'x', unit: 'W' }),
        drawn('b', wish, { room: 'x', unit: 'V' }),
        drawn('c', { ...wish, minimum: 0 }, { room: 'x', unit: 'W' }),
      ]),
    ).toEqual([
      { lines: ['a'], events: [] },
      { lines: ['b'], events: [] },
      { lines: ['c'], events: [] },
    ]);
  });

  test('take in an event that they want, too, whatever their units are', () => {
    const site = { type: 'line', with: { site: 'n' } };
    const streams = [
      drawn('bell', { type: 'event', with: { site: 'n' } }, { site: 'n' }),
      drawn('a', site, { site: 'n', unit: '°C' }),
      drawn('b', site, { site: 'n', unit: 'W' }),
      drawn('other bell', { type: 'event', with: { site: 'n' } }, { site: 'n' }),
    ];
    expect(ids(streams)).toEqual([
      { lines: ['a'], events: ['bell', 'other bell'] },
      { lines: ['b'], events: ['bell', 'other bell'] },
    ]);
  });

  test('take in every event that wants one of their streams, which gets no chart of its own', () => {
    const streams = [
      drawn('a', { type: 'line' }, { site: 'n', room: '1' }),
      drawn('b', { type: 'line' }, { site: 'n', room: '2' }),
      drawn('c', { type: 'line' }, { site: 's' }),
      drawn('alarm', { type: 'event', with: { site: 'n' } }, { kind: 'alarm' }),
      drawn('lonely', { type: 'event', with: { site: 'z' } }),
    ];
    expect(ids(streams)).toEqual([
      { lines: ['a'], events: ['alarm'] },
      { lines: ['b'], events: ['alarm'] },
      { lines: ['c'], events: [] },
      { lines: [], events: ['lonely'] },
    ]);
  });
});

describe('what is drawn of a stream', () => {
  const levels = (
    visualization: Tags | null,
    valueDownsamplers = ['mean', 'min', 'max', 'count'],
  ) =>
    drawnLevels(
      streamOf('x', visualization === null ? {} : { visualization }, { valueDownsamplers }),
    );

  test('is the mean with its band, unless the tags say otherwise', () => {
    expect(levels(null)).toEqual({
      letter: 'm',
      kind: 'line',
      valueDownsamplers: ['mean', 'min', 'max'],
    });
    expect(levels({ type: 'line', value_downsamplers: ['mean'] }).valueDownsamplers).toEqual([
      'mean',
    ]);
    expect(levels({ type: 'line', value_downsamplers: ['mean', 'max'] }).valueDownsamplers).toEqual(
      ['mean', 'max'],
    );
    expect(levels({ type: 'line', value_downsamplers: ['min', 'max'] })).toMatchObject({
      kind: 'band',
      valueDownsamplers: ['min', 'max'],
    });
    expect(levels({ type: 'stack', value_downsamplers: ['mean', 'min', 'max'] })).toMatchObject({
      kind: 'stack',
      valueDownsamplers: ['mean'],
    });
    expect(levels({ type: 'event' })).toMatchObject({ letter: 'c', valueDownsamplers: ['count'] });
  });

  test('is what comes nearest where a stream has no mean', () => {
    expect(levels(null, ['sum', 'min', 'max'])).toMatchObject({
      letter: 's',
      valueDownsamplers: ['sum'],
    });
    expect(levels(null, ['std_dev']).valueDownsamplers).toEqual([]);
  });

  test('has an axis named by its unit', () => {
    expect(axisTitle(streamOf('x', { unit: '°C', unit_description: 'Temperature' }))).toBe(
      'Temperature [°C]',
    );
    expect(axisTitle(streamOf('x', { unit: 'W' }))).toBe('W');
    expect(visualizationOf(streamOf('x', { visualization: 'line' }))).toBeNull();
  });
});
