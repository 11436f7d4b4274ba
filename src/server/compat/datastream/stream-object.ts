import type { Stream } from '../../../api/types.ts';
import { TIME_DOWNSAMPLERS, VALUE_DOWNSAMPLERS } from '../../../downsamplers/registry.ts';
import { Granularity } from '../../../model/granularity.ts';

export interface StreamObject {
  readonly id: string;
  readonly resource_uri: string;
  readonly tags: Stream['tags'];
  readonly value_type: string;
  readonly highest_granularity: string;
  readonly value_downsamplers: readonly string[];
  readonly time_downsamplers: readonly string[];
  readonly earliest_datapoint: Date | null;
  readonly latest_datapoint: Date | null;
}

/** A stream as the list has it. */
export function streamObject(stream: Stream, listUri: string): StreamObject {
  return {
    id: stream.id,
    resource_uri: `${listUri}${stream.id}/`,
    tags: stream.tags,
    value_type: stream.valueType,
    highest_granularity: stream.highestGranularity.name,
    value_downsamplers: stream.valueDownsamplers,
    time_downsamplers: stream.timeDownsamplers,
    earliest_datapoint: stream.earliestDatapoint,
    latest_datapoint: stream.latestDatapoint,
  };
}

/** What the members of a stream are. */
export function streamSchemaObject(): object {
  const field = (type: string, help_text: string, more: object = {}): object => ({
    type,
    help_text,
    readonly: true,
    nullable: false,
    blank: false,
    unique: false,
    default: 'No default provided.',
    ...more,
  });
  const names = (downsamplers: readonly { readonly name: string }[]): readonly string[] =>
    downsamplers.map(({ name }) => name);
  return {
    allowed_detail_http_methods: ['get'],
    allowed_list_http_methods: ['get'],
    default_format: 'application/json',
    default_limit: 20,
    fields: {
      id: field('string', 'Id of the stream.', { unique: true }),
      resource_uri: field('string', 'Where the stream is.'),
      tags: field('dict', 'What describes the stream.'),
      value_type: field('string', 'Type of the values.', {
        choices: ['numeric', 'graph', 'nominal'],
      }),
      highest_granularity: field('string', 'Granularity of the datapoints that are appended.', {
        choices: names(Granularity.values),
      }),
      value_downsamplers: field('list', 'What is kept of the values of a bucket.', {
        choices: names(VALUE_DOWNSAMPLERS),
      }),
      time_downsamplers: field('list', 'What is kept of the times of a bucket.', {
        choices: names(TIME_DOWNSAMPLERS),
      }),
      earliest_datapoint: field('datetime', 'Time of the first datapoint.', { nullable: true }),
      latest_datapoint: field('datetime', 'Time of the latest datapoint.', { nullable: true }),
      datapoints: field('list', 'Datapoints, where one stream is read.'),
    },
  };
}
