// Checks calls against Qdrant's OpenAPI description: method, path, query and body of a request, the shape of an answer; and makes
// answers of the described shapes. Requests are held to what the description knows: a property that it does not name is a mistake.
import { Ajv, type ValidateFunction } from 'ajv';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findShared } from './shared-media.ts';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Schema = { [key: string]: Json };
interface Parameter { name: string; in: string; required?: boolean; schema: Schema }
interface Operation { operationId: string; parameters?: Parameter[]; requestBody?: { content: { 'application/json': { schema: Schema } } }; responses: Record<string, { content?: { 'application/json': { schema: Schema } } }> }

export interface QdrantDescription {
  /** The operation that a request is, and everything that is wrong with it. */
  checkRequest(method: string, path: string, query: Record<string, string>, body: unknown): { operation: string | undefined; wrong: string[] };
  /** What is wrong with an answer of 200. */
  checkAnswer(operation: string, answer: unknown): string[];
  /** An answer of 200: `full` has everything that may be there, `bare` only what must. `known` stands in for schemas by their name. */
  makeAnswer(operation: string, extent: 'full' | 'bare', known: Record<string, unknown>): unknown;
}

/** The description, or why it cannot be had. */
export function findQdrantDescription(): { description: QdrantDescription; reason?: undefined } | { description?: undefined; reason: string } {
  const found = findShared('qdrant', 'openapi.json', 'JHAROKHA_SHARED_QDRANT');
  return found.dir === undefined ? { reason: found.reason } : { description: readDescription(join(found.dir, 'openapi.json')) };
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const ANY_FORMAT = ['uint', 'uint8', 'uint32', 'uint64', 'int64', 'float', 'double', 'date-time', 'partial-date-time', 'binary', 'uri'];

function readDescription(path: string): QdrantDescription {
  const document = JSON.parse(readFileSync(path, 'utf8')) as Schema & { paths: Record<string, Record<string, Operation>>; components: { schemas: Record<string, Schema> } };
  const ajv = new Ajv({ strict: false, allErrors: true, formats: { uuid: UUID, ...Object.fromEntries(ANY_FORMAT.map((name) => [name, true as const])) } });
  ajv.addSchema(toJsonSchema(document, false) as Schema, 'answers');
  ajv.addSchema(toJsonSchema(document, true) as Schema, 'requests');

  const operations = Object.entries(document.paths).flatMap(([template, methods]) => Object.entries(methods).map(([method, operation]) => ({
    template, method: method.toUpperCase(), operation, names: template.split('{').length,
    pattern: new RegExp(`^${template.replace(/[.]/g, '\\.').replace(/\{[^}]+\}/g, '([^/]+)')}$`),
  }))).sort((a, b) => a.names - b.names);
  const byId = (id: string) => {
    const found = operations.find(({ operation }) => operation.operationId === id);
    if (!found) throw new Error(`the description has no operation ${id}`);
    return found;
  };

  const compiled = new Map<string, ValidateFunction>();
  function check(side: 'answers' | 'requests', at: string[], value: unknown): string[] {
    const ref = `${side}#/${at.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`;
    let validate = compiled.get(ref);
    if (!validate) { validate = ajv.compile({ $ref: ref }); compiled.set(ref, validate); }
    return validate(value) ? [] : (validate.errors ?? []).map((e) => `${e.instancePath} ${e.message}${e.params['additionalProperty'] ? ` (${String(e.params['additionalProperty'])})` : ''}`);
  }

  return {
    checkRequest(method, path_, query, body) {
      const found = operations.find((o) => o.method === method && o.pattern.test(path_));
      if (!found) return { operation: undefined, wrong: [`${method} ${path_} is no call of Qdrant's`] };
      const { operation, template } = found;
      const parameters = (operation.parameters ?? []).map((parameter, index) => ({ ...parameter, index })).filter((p) => p.in === 'query');
      const wrong = Object.keys(query).filter((name) => !parameters.some((p) => p.name === name)).map((name) => `the query's ${name} is not known`);
      for (const { name, required, index } of parameters) {
        const value = query[name];
        if (value === undefined) { if (required) wrong.push(`the query lacks ${name}`); continue; }
        wrong.push(...check('requests', ['paths', template, method.toLowerCase(), 'parameters', String(index), 'schema'], readParameter(value)).map((why) => `the query's ${name}${why}`));
      }
      if (operation.requestBody) wrong.push(...check('requests', ['paths', template, method.toLowerCase(), 'requestBody', 'content', 'application/json', 'schema'], body));
      else if (body !== undefined) wrong.push('it takes no body');
      return { operation: operation.operationId, wrong };
    },
    checkAnswer(id, answer) {
      const { template, method } = byId(id);
      return check('answers', ['paths', template, method.toLowerCase(), 'responses', '200', 'content', 'application/json', 'schema'], answer);
    },
    makeAnswer(id, extent, known) {
      const schema = byId(id).operation.responses['200']?.content?.['application/json'].schema;
      if (!schema) throw new Error(`${id} answers no JSON`);
      // The description requires nothing of the envelope; a `result` is what every answer of 200 is about.
      const result = (schema['properties'] as Record<string, Schema>)['result'];
      return { ...(extent === 'full' ? makeValue(document.components.schemas, schema, extent, known, 0) as object : {}), result: makeValue(document.components.schemas, result ?? {}, extent, known, 0) };
    },
  };
}

/** OpenAPI 3.0's words in JSON Schema's: `nullable`; and, `closed`, no property beyond those that are named. */
function toJsonSchema(value: Json, closed: boolean): Json {
  if (Array.isArray(value)) return value.map((item) => toJsonSchema(item, closed));
  if (typeof value !== 'object' || value === null) return value;
  const { nullable, example: _example, default: _default, ...rest } = value;
  const out = Object.fromEntries(Object.entries(rest).map(([key, item]) => [key, key === 'properties' ? eachSchema(item, closed) : toJsonSchema(item, closed)]));
  // Alone it means null, and read as JSON Schema it would let anything through.
  if (nullable === true) out['type'] = typeof out['type'] === 'string' ? [out['type'], 'null'] : 'null';
  if (closed && out['type'] === 'object' && typeof out['properties'] === 'object' && out['additionalProperties'] === undefined) out['additionalProperties'] = false;
  return out;
}

/** A property may be called `default` like the word. */
function eachSchema(properties: Json, closed: boolean): Json {
  return Object.fromEntries(Object.entries(properties as Schema).map(([name, schema]) => [name, toJsonSchema(schema, closed)]));
}

function readParameter(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^\d+$/.test(text) ? Number(text) : text;
}

function makeValue(schemas: Record<string, Schema>, schema: Schema, extent: 'full' | 'bare', known: Record<string, unknown>, depth: number): unknown {
  const make = (inner: Json | undefined) => makeValue(schemas, (inner ?? {}) as Schema, extent, known, depth + 1);
  if (depth > 40) throw new Error('a schema that contains itself');
  if (typeof schema['$ref'] === 'string') {
    const name = schema['$ref'].split('/').at(-1) ?? '';
    return name in known ? known[name] : make(schemas[name]);
  }
  const choices = (schema['anyOf'] ?? schema['oneOf']) as Schema[] | undefined;
  if (choices) return extent === 'bare' && choices.some((c) => c['nullable'] === true) ? null : make(choices[0]);
  if (extent === 'bare' && schema['nullable'] === true) return null;
  if (Array.isArray(schema['enum'])) return schema['enum'][0];
  switch (schema['type']) {
    case 'object': {
      const required = (schema['required'] ?? []) as string[];
      const properties = Object.entries((schema['properties'] ?? {}) as Record<string, Schema>).filter(([key]) => extent === 'full' || required.includes(key));
      return Object.fromEntries(properties.map(([key, inner]) => [key, make(inner)]));
    }
    case 'array': return extent === 'full' ? [make(schema['items'])] : [];
    case 'string': return schema['format'] === 'uuid' ? '00000000-0000-8000-8000-000000000001' : schema['format'] === 'date-time' ? '2026-01-01T00:00:00Z' : 'text';
    case 'integer': return Math.max(1, Number(schema['minimum'] ?? 0));
    case 'number': return 0.5;
    case 'boolean': return true;
    default: return null;
  }
}
