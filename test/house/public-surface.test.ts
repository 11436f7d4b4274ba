import { describe, expect, test } from '@jest/globals';
import * as surface from '../../src/index.ts';
import { read } from './source-files.ts';

describe('the public surface', () => {
  test('exports these values, and nothing else, apart from errors and warnings', () => {
    const others = Object.keys(surface).filter(
      (name) => !read('src/exceptions/errors.ts').includes(`class ${name} `),
    );
    expect(others.sort()).toEqual([
      'Datapoints',
      'Datastream',
      'DatastreamWarning',
      'DownsampleConsistencyNotGuaranteed',
      'Granularity',
      'InternalInconsistencyWarning',
      'InvalidValueWarning',
      'Streams',
      'copyStreams',
      'openBackend',
    ]);
  });
});
