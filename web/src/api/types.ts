/** Any JSON value. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [name: string]: Json };

export type Tags = { readonly [name: string]: Json };

type Permission = 'view' | 'append' | 'change' | 'delete' | 'grant';

/** What the service tells about a stream. Instants are ISO 8601. */
export interface StreamInfo {
  readonly id: string;
  readonly tags: Tags;
  readonly valueType: string;
  readonly valueDownsamplers: readonly string[];
  readonly highestGranularity: string;
  readonly levels: readonly string[];
  readonly timeZone: string;
  readonly earliestDatapoint: string | null;
  readonly latestDatapoint: string | null;
  readonly downsampledUntil: Readonly<Record<string, string | null>>;
  readonly derivedFrom: Derivation | null;
  readonly contributesTo: readonly {
    readonly streamId: string;
    readonly op: string;
    readonly args: Tags;
  }[];
  readonly pendingBackprocess: boolean;
  readonly retention: Readonly<Record<string, string | null>> | null;
  readonly expiredUntil: Readonly<Record<string, string>>;
  readonly permissions: readonly Permission[];
}

interface Derivation {
  readonly op: string;
  readonly args: Tags;
  readonly sources: readonly {
    readonly name: string | null;
    /** Null: whoever asks may not see it. */
    readonly stream: string | null;
    readonly granularity: string;
  }[];
}

export interface StreamPage {
  readonly streams: readonly StreamInfo[];
  /** Cursor of the next page; null at the end. */
  readonly next: string | null;
}

/** One level of a stream as the service sends it: raw datapoints have `values`, levels `v` by letter. */
export interface DataColumns {
  readonly granularity: string;
  /** Epoch milliseconds, ascending; of levels the starts of the buckets. */
  readonly timestamps: readonly number[];
  readonly values?: readonly Json[];
  readonly v?: Readonly<Record<string, readonly Json[]>>;
  readonly next: string | null;
}
