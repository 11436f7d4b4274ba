import type { JSX } from 'preact';
import { useState } from 'preact/hooks';

const SHOWN_MS = 1600;

/** Puts a text on the clipboard, and says so. */
export function CopyButton({
  text,
  label = 'Copy',
}: {
  readonly text: string;
  readonly label?: string;
}): JSX.Element {
  const [done, setDone] = useState<string | null>(null);
  const copy = async (): Promise<void> => {
    setDone((await toClipboard(text)) ? 'Copied' : 'Not possible here');
    setTimeout(() => setDone(null), SHOWN_MS);
  };
  return (
    <button type="button" class="small" onClick={() => void copy()}>
      <span aria-live="polite">{done ?? label}</span>
    </button>
  );
}

/** Without TLS browsers offer the old way only. */
async function toClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    document.body.append(area);
    area.select();
    const isCopied = document.execCommand('copy');
    area.remove();
    return isCopied;
  }
}
