import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { readStreams } from '../api/streams.ts';
import type { StreamInfo } from '../api/types.ts';
import { searchQuery } from '../format/search-query.ts';
import { streamTitle, tagValueText, tagWords } from '../format/stream-title.ts';
import { useRequest } from '../state/use-request.ts';

const SHOWN_COUNT = 30;

/** A search whose streams can be ticked. */
export function StreamPicker({
  chosen,
  onChosen,
}: {
  readonly chosen: readonly StreamInfo[];
  readonly onChosen: (streams: readonly StreamInfo[]) => void;
}): JSX.Element {
  const [text, setText] = useState('');
  const { data } = useRequest(
    (signal) => readStreams({ ...searchQuery(text), limit: SHOWN_COUNT }, signal),
    [text],
  );
  const isChosen = ({ id }: StreamInfo): boolean => chosen.some((stream) => stream.id === id);
  const toggle = (stream: StreamInfo): void =>
    onChosen(isChosen(stream) ? chosen.filter(({ id }) => id !== stream.id) : [...chosen, stream]);
  const others = (data?.streams ?? []).filter((stream) => !isChosen(stream));
  return (
    <div class="picker">
      <input
        type="text"
        aria-label="Search streams by tag"
        placeholder="Search tags: host=a1 load"
        value={text}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
      />
      <ul>
        {[...chosen, ...others].map((stream) => (
          <li key={stream.id}>
            <label>
              <input type="checkbox" checked={isChosen(stream)} onChange={() => toggle(stream)} />
              <span>{streamTitle(stream)}</span>
              <span class="muted">
                {tagWords(stream.tags)
                  .map(({ value }) => tagValueText(value))
                  .join(' ')}
              </span>
            </label>
          </li>
        ))}
      </ul>
    </div>
  );
}
