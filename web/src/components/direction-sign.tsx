import type { JSX } from 'preact';
import { DIRECTION_SIGN, DIRECTION_TEXT, type Direction } from '../format/direction.ts';

/** Whether the newest value rose or fell: by its form and colour, and in words. */
export function DirectionSign({ direction }: { readonly direction: Direction }): JSX.Element {
  return (
    <span class={`direction ${direction}`} title={DIRECTION_TEXT[direction]}>
      <span aria-hidden="true">{DIRECTION_SIGN[direction]}</span>
      <span class="visually-hidden">{DIRECTION_TEXT[direction]}</span>
    </span>
  );
}
