import type { JSX } from 'preact';
import { CopyButton } from './copy-button.tsx';

/** Lines to copy. */
export function Snippet({
  text,
  caption,
}: {
  readonly text: string;
  readonly caption?: string;
}): JSX.Element {
  return (
    <figure class="snippet">
      {caption !== undefined && <figcaption class="muted">{caption}</figcaption>}
      <div class="snippet-text">
        <pre>
          <code>{text}</code>
        </pre>
        <CopyButton text={text} />
      </div>
    </figure>
  );
}
