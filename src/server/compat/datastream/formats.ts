import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Json } from '../../../model/tags.ts';
import { exactJson } from '../../../text/exact-json.ts';
import { Problem } from '../../http/problem.ts';
import { scriptCall } from '../../http/script-call.ts';
import { type DateFormat, withDates } from './dates.ts';
import { type Parameters, textOf } from './parameters.ts';
import { xmlText } from './xml.ts';

type Format = 'json' | 'jsonp' | 'xml';

const FORMATS: readonly string[] = ['json', 'jsonp', 'xml'] satisfies Format[];
const JSON_TYPE = 'application/json; charset=utf-8';
const JAVASCRIPT = 'text/javascript; charset=utf-8';
const XML = 'application/xml; charset=utf-8';

/**
 * Sends an answer as the request wants it: as `format` says, by a call of the function `callback`, or as `Accept` asks.
 * @throws {Problem} 400 for another format, or what is no name of a function.
 */
export function send(
  answer: object,
  {
    request,
    reply,
    format: dates,
  }: {
    readonly request: FastifyRequest;
    readonly reply: FastifyReply;
    readonly format: DateFormat;
  },
): FastifyReply {
  const parameters = request.query as Parameters;
  const format = formatOf(parameters, request.headers.accept ?? '');
  const json = exactJson(withDates(answer, dates));
  reply.header('vary', 'accept');
  switch (format) {
    case 'json':
      return reply.type(JSON_TYPE).send(json);
    case 'xml':
      return reply.type(XML).send(xmlText(JSON.parse(json) as Json));
    case 'jsonp': {
      const callback = textOf(parameters, 'callback') ?? 'callback';
      return reply.type(JAVASCRIPT).send(scriptCall(request, { callback, json }));
    }
  }
}

function formatOf(parameters: Parameters, accept: string): Format {
  const text = textOf(parameters, 'format');
  if (text !== null) {
    if (FORMATS.includes(text)) return text as Format;
    throw new Problem(400, `Invalid format: '${text.slice(0, 100)}'`, { field: 'format' });
  }
  if (textOf(parameters, 'callback') !== null) return 'jsonp';
  // Browsers name XML, too, beside what they would rather have.
  if (/\b(?:json|html)\b|\*\/\*/.test(accept)) return 'json';
  return /^\s*(?:application|text)\/xml\b/.test(accept) ? 'xml' : 'json';
}
