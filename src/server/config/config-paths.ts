import { z } from 'zod';
import { serviceConfigSchema } from './service-config.ts';

/** A place in the configuration, as in `access.publicRead`. */
export interface ConfigPath {
  readonly path: readonly string[];
  /** As in `DATASTREAM_ACCESS_PUBLIC_READ`. */
  readonly variable: string;
  readonly takesText: boolean;
  /** One word alone is a list, too. */
  readonly takesList: boolean;
}

/** Of the variables that are settings. */
export const VARIABLE_PREFIX = 'DATASTREAM_';

/** Every value that can be set, in the order of the schema. */
export const CONFIG_PATHS: readonly ConfigPath[] = pathsOf(serviceConfigSchema, []);

/** The place that a dotted name means, or null. */
export function configPath(name: string): ConfigPath | null {
  return CONFIG_PATHS.find(({ path }) => path.join('.') === name) ?? null;
}

function pathsOf(schema: unknown, path: readonly string[]): readonly ConfigPath[] {
  const inner = unwrapped(schema);
  if (inner instanceof z.ZodObject) {
    return Object.entries(inner.shape).flatMap(([key, value]) => pathsOf(value, [...path, key]));
  }
  const takesText =
    inner instanceof z.ZodString || inner instanceof z.ZodEnum || inner instanceof z.ZodURL;
  const takesList = inner instanceof z.ZodArray;
  return [{ path, variable: variableOf(path), takesText, takesList }];
}

/** The schema below defaults, and below what may be null. */
function unwrapped(schema: unknown): unknown {
  if (
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodNullable
  ) {
    return unwrapped(schema.unwrap());
  }
  return schema instanceof z.ZodPipe ? unwrapped(schema.in) : schema;
}

function variableOf(path: readonly string[]): string {
  const words = path.map((key) => key.replace(/[A-Z]/g, '_$&').toUpperCase());
  return VARIABLE_PREFIX + words.join('_');
}
