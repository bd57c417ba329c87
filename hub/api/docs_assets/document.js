// The OpenAPI document of this hub: loaded once, its references followed, its errors by code.

/** Where the API is: the page is at `…/docs`. */
export const BASE = location.pathname.replace(/\/docs\/?$/, "");

const METHODS = ["get", "post", "put", "patch", "delete"];

export class ApiDocument {
  constructor(whole) {
    this.whole = whole;
    this.operations = Object.entries(whole.paths).flatMap(([path, methods]) =>
      METHODS.filter((method) => methods[method]).map((method) => ({
        ...methods[method], method: method.toUpperCase(), path, tag: methods[method].tags[0],
        scope: (methods[method].description || "").match(/Scope: `([^`]+)`/)?.[1] || null,
        about: (methods[method].description || "").replace(/\s*Scope: `[^`]+`\.\s*$/, ""),
      })));
    this.byId = new Map(this.operations.map((each) => [each.operationId, each]));
    this.errors = this.#errors();
  }

  static async load() {
    const answer = await fetch(`${BASE}/openapi.json`);
    if (!answer.ok) throw new Error(`openapi.json: HTTP ${answer.status}`);
    return new ApiDocument(await answer.json());
  }

  /** Follow a reference. */
  resolve(schema) {
    if (!schema?.$ref) return schema;
    return schema.$ref.slice(2).split("/").reduce((place, name) => place?.[name.replaceAll("~1", "/")], this.whole);
  }

  /** Tags in the order of the document, each with its operations that fit. */
  tags(fits = () => true) {
    return this.whole.tags
      .map((tag) => ({...tag, operations: this.operations.filter((each) => each.tag === tag.name && fits(each))}))
      .filter((tag) => tag.operations.length);
  }

  /** The operation's successes, with their media types. */
  successes(operation) {
    return Object.entries(operation.responses).filter(([status]) => Number(status) < 400)
      .map(([status, response]) => ({status, ...this.resolve(response)}));
  }

  #errors() {
    const found = new Map();
    for (const [name, response] of Object.entries(this.whole.components.responses)) {
      for (const line of response.description.split("\n\n")) {
        const [, code, meaning] = line.match(/^`([^`]+)`: ([^]*)$/) || [];
        if (code) found.set(code, {code, meaning, status: name.replace("Error", "")});
      }
    }
    return found;
  }
}

/** Whether all words of a search stand somewhere in an operation. */
export function isFound(operation, search) {
  const text = `${operation.method} ${operation.path} ${operation.summary} ${operation.operationId} ${operation.scope || ""} ${operation.about}`
    .toLowerCase();
  return search.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}
