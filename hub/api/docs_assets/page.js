// The page: a list of all endpoints that can be searched, and one of them at a time, chosen by the address.

import {coloured, make, spans, words} from "./dom.js";
import {ApiDocument, BASE, isFound} from "./document.js";
import {exampleOf, field, within} from "./shapes.js";
import {Trial} from "./trial.js";

const KEY = "hub-api-key";
const at = (id) => document.getElementById(id);

function chip(method) {
  return make(`span.method.${method.toLowerCase()}`, {}, method === "DELETE" ? "DEL" : method);
}

class Page {
  constructor(api) {
    this.api = api;
    at("key").value = sessionStorage.getItem(KEY) || "";
    at("key").addEventListener("change", () => this.keepKey());
    at("search").addEventListener("input", () => this.list());
    at("search").addEventListener("keydown", (event) => this.openFirst(event));
    at("menu").addEventListener("click", () => this.toggle());
    at("main").addEventListener("click", () => this.toggle(false));
    addEventListener("hashchange", () => {
      this.show();
      at("main").focus({preventScroll: true}); // where the reader goes on, also by keyboard
    });
    addEventListener("keydown", (event) => this.focusSearch(event));
    addEventListener("keydown", (event) => this.closeMenu(event));
    this.list();
    this.show();
    this.tellWho();
  }

  key() {
    return at("key").value.trim();
  }

  keepKey() {
    sessionStorage.setItem(KEY, this.key());
    this.tellWho();
    this.trial?.showCurl();
  }

  /** Say whether the key is good for anything, as soon as it is there. */
  async tellWho() {
    const who = at("who");
    if (!this.key()) {
      who.replaceChildren();
      return;
    }
    const answer = await fetch(`${BASE}/v1/lines`, {headers: {Authorization: `Bearer ${this.key()}`}}).catch(() => null);
    const isKnown = answer && answer.status !== 401;
    who.className = isKnown ? "who good" : "who bad";
    who.textContent = isKnown ? "known" : "not known";
  }

  toggle(isOpen = !document.body.classList.contains("open")) {
    document.body.classList.toggle("open", isOpen);
    at("menu").setAttribute("aria-expanded", String(isOpen));
  }

  focusSearch(event) {
    if (event.key !== "/" || /INPUT|TEXTAREA|SELECT/.test(event.target.tagName)) return;
    event.preventDefault();
    this.toggle(true);
    at("search").focus();
  }

  closeMenu(event) {
    if (event.key !== "Escape" || !document.body.classList.contains("open")) return;
    this.toggle(false);
    at("menu").focus();
  }

  openFirst(event) {
    if (event.key !== "Enter") return;
    at("list").querySelector("a.endpoint")?.click();
  }

  list() {
    const search = at("search").value.trim();
    const tags = this.api.tags((operation) => !search || isFound(operation, search));
    const sections = tags.map((tag) => make("details", {open: Boolean(search) || tag.name === this.tag},
      make("summary", {}, tag["x-displayName"], make("small", {}, String(tag.operations.length))),
      ...tag.operations.map((each) => make("a.endpoint", {href: `#${each.operationId}`, "data-id": each.operationId},
        chip(each.method), make("span", {}, each.summary.replace(/\.$/, ""))))));
    at("list").replaceChildren(...sections, make("a.errors", {href: "#errors"}, "Errors"));
    if (!tags.length) at("list").prepend(make("p.none", {}, "Nothing fits."));
    this.mark();
  }

  mark() {
    for (const link of at("list").querySelectorAll("a.endpoint")) {
      const isHere = link.dataset.id === location.hash.slice(1);
      if (isHere) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
      if (isHere) {
        link.closest("details").open = true;
        link.scrollIntoView({block: "nearest"});
      }
    }
  }

  show() {
    const operation = this.api.byId.get(location.hash.slice(1));
    this.trial = null;
    this.tag = operation?.tag;
    const parts = operation ? this.operation(operation) : location.hash === "#errors" ? this.errors() : this.welcome();
    at("main").replaceChildren(...parts);
    document.title = `${operation ? `${operation.method} ${operation.path}` : "API"} · Hub`;
    scrollTo(0, 0);
    this.toggle(false);
    this.mark();
  }

  welcome() {
    const {info} = this.api.whole;
    return [
      make("h1", {}, `${info.title} API`, make("small", {}, info.version)),
      make("p.lead", {}, `${this.api.operations.length} endpoints, one set of conventions. Paste an API key above and try any of them; `
        + "it stays in this tab."),
      make("div.cards", {}, ...this.api.tags().map((tag) => make("a.card", {href: `#${tag.operations[0].operationId}`},
        make("strong", {}, tag["x-displayName"]), make("span", {}, tag.description),
        make("small", {}, `${tag.operations.length} ${tag.operations.length === 1 ? "endpoint" : "endpoints"}`)))),
      make("p", {}, "Make a key with ", make("code", {}, "hub keys create"), ". For machines: ",
        make("a", {href: `${BASE}/openapi.json`}, "openapi.json"), " (OpenAPI 3.1)."),
    ];
  }

  errors() {
    return [
      make("h1", {}, "Errors"),
      make("p.lead", {}, "All errors look alike; the code is stable, the message is for people."),
      coloured(JSON.stringify({error: {type: "…", code: "line_not_found", message: "…", param: "from"}, request_id: "req_…"}, null, 2)),
      make("div.fields", {}, ...[...this.api.errors.values()].map((each) => this.error(each))),
    ];
  }

  error(each) {
    return make("div.field", {}, make("div.head", {}, make("span.code", {}, each.status), make("span.name", {}, each.code)),
      make("div.about", {}, ...spans(each.meaning)));
  }

  operation(operation) {
    this.trial = new Trial(this.api, operation, () => this.key());
    const left = [this.parameters(operation), this.body(operation), ...this.answers(operation), this.refusals(operation)];
    return [
      make("div.route", {}, chip(operation.method), make("code", {}, ...broken(operation.path)),
        operation.scope && make("span.scope", {title: "The scope that the key needs"}, operation.scope)),
      make("h1", {}, operation.summary),
      ...words(operation.about),
      make("div.columns", {}, make("div", {}, ...left.filter(Boolean)), make("aside", {}, this.trial.element)),
    ];
  }

  parameters(operation) {
    if (!operation.parameters?.length) return null;
    return make("section", {}, make("h2", {}, "Parameters"), make("div.fields", {}, ...operation.parameters.map((each) =>
      field(this.api, each.name, {...each.schema, description: each.description || each.schema.description},
        {required: each.required, depth: 1}))));
  }

  body(operation) {
    const content = operation.requestBody?.content;
    if (!content) return null;
    const parts = Object.entries(content).map(([kind, media]) => {
      const fields = within(this.api, media.schema, {depth: 1});
      return [make("p.kind", {}, make("code", {}, kind)), fields.length ? make("div.fields", {}, ...fields) : null];
    });
    return make("section", {}, make("h2", {}, "Body"), ...parts.flat().filter(Boolean));
  }

  answers(operation) {
    return this.api.successes(operation).map((answer) => {
      const parts = Object.entries(answer.content || {}).map(([kind, media]) => {
        const fields = within(this.api, media.schema, {depth: 1});
        const example = fields.length && JSON.stringify(exampleOf(this.api, media.schema), null, 2);
        return [make("p.kind", {}, make("code", {}, kind)), fields.length ? make("div.fields", {}, ...fields) : null,
          example && make("details.example", {}, make("summary", {}, "As JSON"), coloured(example))];
      });
      return make("section", {}, make("h2", {}, "Answer ", make("span.good", {}, answer.status)),
        !parts.length && make("p", {}, answer.description), ...parts.flat().filter(Boolean));
    });
  }

  refusals(operation) {
    const codes = (operation["x-error-codes"] || []).map((code) => this.api.errors.get(code)).filter(Boolean)
      .sort((one, other) => one.status - other.status);
    return make("section", {}, make("h2", {}, "Errors"), make("div.fields", {}, ...codes.map((each) => this.error(each))));
  }
}

/** A path that may be broken after each slash. */
function broken(path) {
  return path.split("/").flatMap((part, index) => (index ? ["/", make("wbr"), part] : [part]));
}

ApiDocument.load().then((api) => new Page(api)).catch((error) => {
  at("main").replaceChildren(make("p.problem", {}, `The document cannot be read: ${error.message}`));
});
