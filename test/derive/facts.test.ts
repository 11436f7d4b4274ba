import { describe, expect, test } from '@jest/globals';
import { runScript } from './script.ts';

const FACTS: Readonly<Record<string, string>> = {
  'sum and derivative, and the sum of a source and its derivative': `
    load A 0:21 1:25 2:28 3:32 4:25 10:70 11:74
    load B 0:21 1:25 2:28 3:32 4:25 10:42 11:42
    derive S sum A B
    expect S 0:42 1:50 2:56 3:64 4:50 10:112 11:116
    derive D derivative A
    expect D 1:4 2:3 3:4 4:-7 10:7.5 11:4
    derive C sum A D
    expect C 1:29 2:31 3:36 4:18 10:77.5 11:78`,
  'a late first value of a source counts as any other': `
    load A 0:21 1:25 2:28 3:32 4:25 10:70 11:74
    load B 4:25 0:21 1:25 2:28 3:32 10:42 11:42
    derive S sum A B
    expect S 0:42 1:50 2:56 3:64 4:50 10:112 11:116`,
  'counter_reset finds four resets, three and one in the first two tens of seconds': `
    load U 0:10 1:23 2:28 3:44 4:2 5:17 6:90 7:30 8:2 9:5 10:10 11:15 12:23 13:1 14:7 15:12 16:19 17:25 18:31 19:45 20:51
    derive R counter_reset U
    expect R 4:1 7:1 8:1 13:1
    count R 10seconds 0:3 10:1`,
  'counter_derivative over wrap-arounds and resets': `
    load U 0:10 1:23 2:28 3:44 4:2 5:17 6:90 7:30 8:2
    load D 0:5 1:12 2:7 3:25 4:7 5:18 6:33 7:40 8:5
    derive R counter_reset U
    derive C counter_derivative reset:R D max_value=256
    expect C 1:7 2:251 3:18 5:11 6:15`,
  'sum of two levels, before and after they are downsampled': `
    load A @10seconds
    load B @10seconds
    derive Before sum @10seconds A B
    expect Before
    load A @10seconds 0:5 10:5 20:5
    load B @10seconds 0:5 10:5 20:5
    derive After sum @10seconds A B
    expect After 0:10 10:10 20:10`,
  'sum by buckets takes the last value of each source': `
    load A @minutes 0:1 3:2 59:4 60:8 -1:16
    load B @minutes 7:100 60:200 61:300 -60:400
    derive S sum @minutes A B
    expect S -60:416 0:104 60:308`,
  'sum leaves nulls out, and all nulls give null': `
    load A 0:1 1:null 2:null 3:4
    load B 0:10 1:20 2:null
    derive S sum A B
    expect S 0:11 1:20 2:null`,
  'sum of one source': `
    load A 0:1 0:2 1:null
    derive S sum A
    expect S 0:2 1:null`,
  'derivative passes a null on and forgets the value before it': `
    load A 0:null 1:5 2:7 3:null 4:10 6:20
    derive D derivative A
    expect D 0:null 2:2 3:null 6:5`,
  'derivative warns of equal timestamps and goes on from the newer value': `
    load A 0:1 1:2 1:5 2:6
    derive D derivative A
    expect D 1:1 2:1 warnings=1`,
  'counter_reset skips nulls and looks across them': `
    load A 0:null 1:5 2:null 3:4 4:null 5:4
    derive R counter_reset A
    expect R 3:1`,
  'counter_derivative warns of a drop that nothing explains': `
    load R
    load A 0:10 1:4 2:6
    derive C counter_derivative reset:R A
    expect C 2:2 warnings=1`,
  'counter_derivative ignores values of the reset stream that are not truthy': `
    load R 1:0 2:null 3:false 4:"" 5:"restart" 6:0.5 8:{}
    load A 0:0 1:1 2:2 3:3 4:4 5:5 6:6 7:7 8:8
    derive C counter_derivative reset:R A
    expect C 1:1 2:1 3:1 4:1 7:1`,
  'counter_derivative passes a null on and forgets the value before it': `
    load R
    load A 0:null 1:5 2:7 3:null 4:1 6:5
    derive C counter_derivative reset:R A
    expect C 0:null 2:2 3:null 6:2`,
  'counter_derivative warns once of a drop without elapsed time': `
    load R
    load A 0:5 1:9 1:3 2:4
    derive C counter_derivative reset:R A
    expect C 1:4 2:1 warnings=1`,
  'a reset at the instant of a data value comes before it, as sources go by index': `
    load R 1:1
    load A 0:5 1:9 2:10
    derive C counter_derivative reset:R A
    expect C 2:1`,
};

describe('what operators are relied upon to give', () => {
  for (const [name, script] of Object.entries(FACTS)) {
    test(name, () => {
      const expectations = runScript(script);
      expect(expectations.length).toBeGreaterThan(0);
      for (const { line, expected, actual, expectedWarningCount, warningCount } of expectations) {
        expect({ line, points: actual }).toEqual({ line, points: expected });
        expect({ line, warningCount }).toEqual({ line, warningCount: expectedWarningCount });
      }
    });
  }
});
