// Show schemas: a list of fields that unfolds, each with its type, its limits and what it means.

import {make, spans} from "./dom.js";

const MOST_DEPTH = 8;

/** The type in a word or a few. */
export function typeName(api, given) {
  const schema = api.resolve(given);
  if (!schema) return "any";
  const options = schema.anyOf || schema.oneOf;
  if (options) return [...new Set(options.map((each) => typeName(api, each)))].join(" | ");
  if (schema.enum) return schema.enum.map((each) => JSON.stringify(each)).join(" | ");
  if ("const" in schema) return JSON.stringify(schema.const);
  if (schema.type === "array") return `${wrapped(typeName(api, schema.items || schema.prefixItems?.[0]))}[]`;
  if (schema.type === "object" && schema.additionalProperties && !schema.properties) return "map";
  return schema.type || "any";
}

function wrapped(name) {
  return name.includes(" | ") ? `(${name})` : name;
}

/** The limits of a value, in words. */
export function limits(given) {
  const said = [];
  const range = (least, most, unit) => {
    if (least !== undefined && most !== undefined) said.push(`${least} to ${most}${unit}`);
    else if (least !== undefined && least !== 0) said.push(`at least ${least}${unit}`);
    else if (most !== undefined) said.push(`at most ${most}${unit}`);
  };
  for (const schema of [given, ...(given.anyOf || [])]) {
    range(schema.minimum, schema.maximum, "");
    range(schema.minLength, schema.maxLength, " characters");
    range(schema.minItems, schema.maxItems, " items");
    if (schema.format && schema.format !== "binary") said.push(schema.format);
  }
  const other = JSON.stringify(given.default ?? null);
  if (!["null", "[]", "{}"].includes(other) && other.length < 40) said.push(`default ${other}`);
  return said.join(", ");
}

/** One line of a list of fields. */
export function field(api, name, given, {required = false, depth = 0, seen = []} = {}) {
  const schema = api.resolve(given) || {};
  const head = [
    make("span.name", {}, name), make("span.type", {}, typeName(api, given)),
    required && make("span.must", {}, "required"),
    make("span.limits", {}, limits({...schema, ...given})),
  ];
  const about = given.description || schema.description;
  const text = about && make("div.about", {}, ...spans(about));
  const inside = depth < MOST_DEPTH ? within(api, given, {depth: depth + 1, seen}) : [];
  if (!inside.length) return make("div.field", {}, make("div.head", {}, ...head), text);
  return make("details.field", {open: depth === 0 && inside.length < 2}, make("summary.head", {}, ...head), text,
    make("div.inside", {}, ...inside));
}

/** The fields of an object, of the items of a list, or of each of several shapes. */
export function within(api, given, {depth = 0, seen = []} = {}) {
  const name = given?.$ref;
  if (name && seen.includes(name)) return [];
  const schema = api.resolve(given);
  const next = {depth, seen: name ? [...seen, name] : seen};
  if (!schema) return [];
  if (schema.properties) {
    const required = schema.required || [];
    return Object.entries(schema.properties).map(([each, shape]) =>
      field(api, each, shape, {...next, required: required.includes(each)}));
  }
  const options = (schema.anyOf || schema.oneOf || []).filter((each) => within(api, each, next).length);
  if (options.length === 1) return within(api, options[0], next);
  if (options.length) return options.map((each) => field(api, "one of", each, next));
  if (schema.type === "array") return within(api, schema.items, next);
  if (typeof schema.additionalProperties === "object") return within(api, schema.additionalProperties, next);
  return [];
}

/** An example of a schema, for what has none. */
export function exampleOf(api, given, depth = 0) {
  const schema = api.resolve(given);
  if (!schema || depth > 4) return null;
  if (schema.examples?.length) return schema.examples[0];
  if ("const" in schema) return schema.const;
  if (schema.enum) return schema.enum[0];
  const options = schema.anyOf || schema.oneOf;
  if (options) return exampleOf(api, options.find((each) => api.resolve(each).type !== "null") || options[0], depth);
  if (schema.properties) {
    return Object.fromEntries(Object.entries(schema.properties)
      .map(([name, shape]) => [name, exampleOf(api, shape, depth + 1)]));
  }
  const kinds = {
    array: () => [exampleOf(api, schema.items, depth + 1)].filter((each) => each !== null),
    boolean: () => false, integer: () => schema.minimum || 0, number: () => 0, object: () => ({}), string: () => "…",
  };
  return kinds[schema.type]?.() ?? null;
}
