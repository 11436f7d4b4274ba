import { AGGREGATIONS } from './buckets.ts';
import { escaped, page } from './html.ts';
import { SERIES_TYPES } from './segments.ts';
import type { SeriesDetails } from './series-config.ts';
import { zonedText } from './zone-time.ts';

/** Rows for archives in the form of a new series. */
export const ARCHIVE_ROW_COUNT = 3;
/** The parameter of an address that opens that form, and that it is sent to. */
export const CREATE = 'create';
const DEFAULT_TYPE = 'period';
const DEFAULT_ZONE = 'UTC';

/** What a page shows of a series. */
export interface ShownSeries {
  readonly details: SeriesDetails;
  /** Null: it has no readings. */
  readonly updatedMs: number | null;
}

/** Of the session, for forms; null where there is none, and none is needed. */
type CsrfToken = string | null;

/** All series that somebody may view. */
export function listPage(
  all: readonly ShownSeries[],
  { base, mayCreate }: { readonly base: string; readonly mayCreate: boolean },
): string {
  const rows = all.map(
    ({ details: { slug, title, notes, config }, updatedMs }) =>
      `<tr><td><a href="${base}/${slug}/">${slug}</a></td><td>${escaped(title)}</td><td>${escaped(notes)}</td>` +
      `<td>${updatedMs === null ? 'never' : zonedText(updatedMs, config.timezone_name)}</td></tr>`,
  );
  const table = `<table><thead><tr><th>Slug</th><th>Title</th><th>Notes</th><th>Last updated</th></tr></thead>
<tbody>${rows.join('\n')}</tbody></table>`;
  return page(
    'Series',
    [
      all.length === 0 ? '<p>There are no series that you may view.</p>' : table,
      ...(mayCreate ? [`<p><a href="${base}/?${CREATE}">New series</a></p>`] : []),
    ].join('\n'),
  );
}

/** The form of a new series. */
export function newSeriesPage({
  base,
  csrfToken,
  now,
}: {
  readonly base: string;
  readonly csrfToken: CsrfToken;
  readonly now: Date;
}): string {
  const zones = [DEFAULT_ZONE, ...Intl.supportedValuesOf('timeZone')];
  const archives = Array.from({ length: ARCHIVE_ROW_COUNT }, (_, row) => {
    const name = (part: string): string => `archive_${row}_${part}`;
    return `<tr><td>${select(name('type'), AGGREGATIONS, AGGREGATIONS[0])}</td>
<td>${input(name('aggregation'), { type: 'number', value: row === 0 ? '1' : '' })}</td>
<td>${input(name('count'), { type: 'number', value: row === 0 ? '10000' : '' })}</td>
<td>${input(name('threshold'), { value: '0.5' })}</td></tr>`;
  });
  return page(
    'New series',
    `<form method="post" action="${actionOf(csrfToken, CREATE)}">
${field('Slug', input('slug', { isRequired: true }))}
${field('Title', input('title', { isRequired: true }))}
${field('Notes', '<textarea name="notes"></textarea>')}
${field('Public', input('is_public', { type: 'checkbox', value: 'true' }))}
${field('Equation, of a virtual series', input('equation', {}))}
<fieldset><legend>Readings, of a series that has some</legend>
${field('Type', select('series_type', SERIES_TYPES, DEFAULT_TYPE))}
${field('Interval, in seconds', input('interval', { type: 'number', value: '1800' }))}
${field('Time zone', select('timezone_name', zones, DEFAULT_ZONE))}
${field('Start', input('start', { value: `${now.toISOString().slice(0, 10)}T00:00:00Z` }))}
<table><thead><tr><th>Archive</th><th>Intervals</th><th>Count</th><th>Threshold</th></tr></thead>
<tbody>${archives.join('\n')}</tbody></table>
</fieldset>
<p><button>Create</button> <a href="${base}/">All series</a></p></form>`,
  );
}

/** One series, with what was just done to it, and with forms for what may be done. */
export function seriesPage(
  { details, updatedMs }: ShownSeries,
  {
    done,
    csrfToken,
    mayAppend,
    mayChange,
  }: {
    /** Parameters of the address that a form leads back to. */
    readonly done: URLSearchParams;
    readonly csrfToken: CsrfToken;
    readonly mayAppend: boolean;
    readonly mayChange: boolean;
  },
): string {
  const { slug, title, notes, config, equation } = details;
  const updated = updatedMs === null ? 'never' : zonedText(updatedMs, config.timezone_name);
  const form = `<form method="post" enctype="multipart/form-data" action="${actionOf(csrfToken)}">`;
  return page(
    title,
    [
      noteOf(done),
      `<p>${slug}, last updated: ${updated}${equation === null ? '' : `, computed: ${escaped(equation)}`}</p>`,
      `<pre>${escaped(JSON.stringify(config, null, 2))}</pre>`,
      ...(mayAppend && equation === null
        ? [
            `${form}${field('Readings, as CSV', input('readings', { type: 'file', isRequired: true }))}<p><button>Upload</button></p></form>`,
          ]
        : []),
      ...(mayChange
        ? [
            `${form}${field('Title', input('title', { value: title, isRequired: true }))}
${field('Notes', `<textarea name="notes">${escaped(notes)}</textarea>`)}<p><button>Save</button></p></form>`,
          ]
        : []),
      '<p><a href="../">All series</a></p>',
    ].join('\n'),
  );
}

/** What became of what a form sent. */
function noteOf(done: URLSearchParams): string {
  const count = Number(done.get('readings.count') ?? Number.NaN);
  const appended = Number(done.get('readings.appended') ?? Number.NaN);
  const notes = [
    ...(Number.isSafeInteger(count) && Number.isSafeInteger(appended)
      ? [
          `${count} readings parsed, ${appended} added${count > appended ? '; the rest were not after the last reading' : ''}.`,
        ]
      : []),
    ...(done.get('updated') === 'true' ? ['Saved.'] : []),
  ];
  return notes.map((note) => `<p role="status"><mark>${note}</mark></p>`).join('\n');
}

function actionOf(csrfToken: CsrfToken, ...names: readonly string[]): string {
  const parameters = [...names, ...(csrfToken === null ? [] : [`csrf=${csrfToken}`])];
  return `?${escaped(parameters.join('&'))}`;
}

function field(label: string, control: string): string {
  return `<p><label>${label} ${control}</label></p>`;
}

function input(
  name: string,
  {
    type = 'text',
    value = '',
    isRequired = false,
  }: { readonly type?: string; readonly value?: string; readonly isRequired?: boolean },
): string {
  return `<input name="${name}" type="${type}" value="${escaped(value)}"${isRequired ? ' required' : ''}>`;
}

function select(name: string, values: readonly string[], chosen: string | undefined): string {
  const options = values.map(
    (value) => `<option${value === chosen ? ' selected' : ''}>${escaped(value)}</option>`,
  );
  return `<select name="${name}">${options.join('')}</select>`;
}
