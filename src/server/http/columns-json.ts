import { mapColumns } from '../../api/datapoint-columns.ts';
import type { DatapointColumns } from '../../api/types.ts';
import { columnJson } from '../../text/column-json.ts';

/** Columns as the members of a JSON object: `"timestamps":[…],"v":{"m":[…]}`. */
export function columnsJson({ timestamps, values, v, t, live }: DatapointColumns): string {
  const members = [`"timestamps":${columnJson(timestamps)}`];
  if (values !== undefined) members.push(`"values":${columnJson(values)}`);
  if (v !== undefined) members.push(`"v":${lettersJson(v)}`);
  if (t !== undefined) members.push(`"t":${lettersJson(t)}`);
  if (live !== undefined) members.push(`"live":${columnJson(live)}`);
  return members.join(',');
}

function lettersJson(columns: Readonly<Record<string, ArrayLike<unknown>>>): string {
  const members = Object.entries(mapColumns(columns, columnJson));
  return `{${members.map(([letter, text]) => `"${letter}":${text}`).join(',')}}`;
}
