import { useEffect } from 'preact/hooks';

/** Names the page in the browser's tab. */
export function usePageTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · datastream`;
  }, [title]);
}
