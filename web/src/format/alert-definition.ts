import type { Json, Tags } from '../api/types.ts';

/** The definition of a rule from what was typed into its form. */
export function alertDefinition(
  { kind = '', after = '', limit = '', clear = '' }: Readonly<Record<string, string>>,
  tags: Tags,
): Json {
  const streams = { tags };
  if (kind === 'stale') return { streams, condition: { type: 'stale', after } };
  return {
    streams,
    condition: {
      type: 'threshold',
      [kind]: Number(limit),
      ...(clear !== '' && { clear: Number(clear) }),
    },
  };
}
