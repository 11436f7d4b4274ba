import { z } from 'zod';
import type { CollectionDefinition } from '../../state/collection.ts';

/** What values of a feed are: whole numbers, or any. */
export const Y_CASTS = ['int', 'float'] as const;
export type YCast = (typeof Y_CASTS)[number];

/** One series of a feed. */
export interface FeedAxis {
  readonly name: string;
  readonly streamId: string;
}

/** Several series of one kind, to which anybody who may can post numbers by name. */
export interface Feed {
  readonly id: string;
  readonly name: string;
  readonly yCast: YCast;
  /** Null: nobody in particular. */
  readonly ownerId: string | null;
  /** In the order in which they were added. */
  readonly axes: readonly FeedAxis[];
}

const feedSchema: z.ZodType<Feed> = z.object({
  id: z.string(),
  name: z.string(),
  yCast: z.enum(Y_CASTS),
  ownerId: z.string().nullable(),
  axes: z.array(z.object({ name: z.string(), streamId: z.string() })),
});

export const FEEDS: CollectionDefinition<Feed, 'name'> = {
  name: 'feeds',
  noun: 'feed',
  version: 1,
  schema: feedSchema,
  indexes: {
    name: {
      valuesOf: ({ name }) => [name],
      takenMessage: ({ name }) => `There is already a feed ${JSON.stringify(name)}.`,
    },
  },
};

/** Where the demo stands. */
export interface SineDemo {
  readonly id: 'sine';
  readonly isOn: boolean;
  /** In radians, from 0 to 2π. */
  readonly phase: number;
  readonly feedId: string;
}

const demoSchema: z.ZodType<SineDemo> = z.object({
  id: z.literal('sine'),
  isOn: z.boolean(),
  phase: z.number(),
  feedId: z.string(),
});

export const DEMOS: CollectionDefinition<SineDemo> = {
  name: 'feed-demos',
  noun: 'demo',
  version: 1,
  schema: demoSchema,
  indexes: {},
};
