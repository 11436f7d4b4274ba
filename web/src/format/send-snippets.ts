export interface SendTarget {
  /** Address of the service, without a slash at the end. */
  readonly origin: string;
  readonly streamId: string;
  /** Example of a value, as JSON. */
  readonly value: string;
  /** Null: the service wants none. */
  readonly token: string | null;
}

export interface Snippet {
  readonly language: string;
  readonly text: string;
}

/** Lines to copy that send a datapoint to a stream. */
export function sendSnippets(target: SendTarget): readonly Snippet[] {
  return [
    { language: 'curl', text: curlText(target) },
    { language: 'Node', text: nodeText(target) },
    { language: 'Python', text: pythonText(target) },
  ];
}

/** A line that sends a datapoint to a stream that it names by tags, and creates where it is not there. */
export function writeSnippet({ origin, token }: Pick<SendTarget, 'origin' | 'token'>): string {
  return [
    `curl ${origin}/api/v1/write \\`,
    ...(token === null ? [] : [`  -H 'Authorization: Bearer ${token}' \\`]),
    `  -H 'Content-Type: application/json' \\`,
    `  -d '{"tags": {"site": "north", "sensor": "t1"}, "v": 21.5}'`,
  ].join('\n');
}

function urlOf({ origin, streamId }: SendTarget): string {
  return `${origin}/api/v1/streams/${streamId}/data`;
}

function curlText(target: SendTarget): string {
  return [
    `curl ${urlOf(target)} \\`,
    ...(target.token === null ? [] : [`  -H 'Authorization: Bearer ${target.token}' \\`]),
    `  -H 'Content-Type: application/json' \\`,
    `  -d '${JSON.stringify({ v: JSON.parse(target.value) }).replaceAll("'", "'\\''")}'`,
  ].join('\n');
}

function nodeText(target: SendTarget): string {
  const { token, value } = target;
  const authorization = token === null ? '' : `authorization: 'Bearer ${token}', `;
  return [
    `const response = await fetch('${urlOf(target)}', {`,
    `  method: 'POST',`,
    `  headers: { ${authorization}'content-type': 'application/json' },`,
    `  body: JSON.stringify({ t: Date.now(), v: ${value} }),`,
    `});`,
    `console.log(await response.json());`,
  ].join('\n');
}

function pythonText(target: SendTarget): string {
  const { token, value } = target;
  const authorization = token === null ? '' : `"Authorization": "Bearer ${token}", `;
  return [
    `import json, time, urllib.request`,
    ``,
    `request = urllib.request.Request(`,
    `    "${urlOf(target)}",`,
    `    data=json.dumps({"t": int(time.time() * 1000), "v": ${value}}).encode(),`,
    `    headers={${authorization}"Content-Type": "application/json"},`,
    `)`,
    `print(json.load(urllib.request.urlopen(request)))`,
  ].join('\n');
}
