// Try an endpoint: a form for what it takes, the request as `curl`, and what the hub answered.

import {coloured, copier, make, spans} from "./dom.js";
import {BASE} from "./document.js";
import {typeName} from "./shapes.js";

const MOST_SHOWN = 200_000;

/** The form of an operation. */
export class Trial {
  constructor(api, operation, key) {
    this.api = api;
    this.operation = operation;
    this.key = key;
    this.inputs = [];
    this.running = null;
    this.answer = make("div.answer", {"aria-live": "polite"});
    this.curl = make("pre.curl");
    this.button = make("button.send", {type: "submit"}, "Send");
    this.element = make("form.trial", {onsubmit: (event) => this.send(event), oninput: () => this.showCurl()},
      make("h3", {}, "Try it"), ...this.fields(), this.bodyField(),
      make("div.row", {}, this.button, make("span.hint", {}, operation.security.length ? "with the API key above" : "needs no key")),
      make("div.caption", {}, "curl", copier(() => this.curl.textContent)), this.curl, this.answer);
    this.showCurl();
  }

  fields() {
    return (this.operation.parameters || []).map((each) => {
      const schema = this.api.resolve(each.schema) || {};
      const input = schema.enum
        ? make("select", {"aria-label": each.name}, make("option", {value: ""}, "—"), ...schema.enum.map((value) => make("option", {value}, value)))
        : make("input", {"aria-label": each.name, placeholder: each.required ? "required" : String(schema.examples?.[0] ?? typeName(this.api, each.schema)), spellcheck: false});
      input.required = Boolean(each.required);
      this.inputs.push({...each, input});
      return make("label.entry", {}, make("span", {}, each.name, make("small", {}, each.in)), input,
        each.name === "Idempotency-Key" && make("button.quiet", {type: "button", "aria-label": "New Idempotency-Key", onclick: () => {
          input.value = self.crypto?.randomUUID?.() || `${Date.now()}`;
          this.showCurl();
        }}, "New"));
    });
  }

  bodyField() {
    const content = this.operation.requestBody?.content;
    if (!content) return null;
    [this.mediaType] = Object.keys(content);
    const media = content[this.mediaType];
    if (this.mediaType === "application/json") {
      this.body = make("textarea", {rows: 8, spellcheck: false, "aria-label": "Body"});
      this.body.value = JSON.stringify(media.example ?? {}, null, 2);
      this.body.rows = Math.min(20, this.body.value.split("\n").length + 1);
      return make("div.entry.tall", {}, make("span", {}, "Body", make("small", {}, this.mediaType)), this.body);
    }
    this.file = make("input", {type: "file", "aria-label": "File"});
    return make("label.entry", {}, make("span", {}, "Body", make("small", {}, Object.keys(content).join(", "))), this.file);
  }

  /** What would be sent. */
  request() {
    let path = this.operation.path;
    const query = [];
    const headers = {};
    for (const {name, in: place, input} of this.inputs) {
      const value = input.value.trim();
      if (place === "path") path = path.replace(`{${name}}`, encodeURIComponent(value) || `{${name}}`);
      else if (value && place === "query") query.push(`${name}=${encodeURIComponent(value)}`);
      else if (value) headers[name] = value;
    }
    if (this.operation.security.length && this.key()) headers.Authorization = `Bearer ${this.key()}`;
    const file = this.file?.files[0];
    if (this.body) headers["Content-Type"] = "application/json";
    else if (file) headers["Content-Type"] = this.mediaType === "text/csv" ? "text/csv" : file.type || "application/octet-stream";
    if (file && this.operation.parameters?.some((each) => each.name === "X-Filename") && !headers["X-Filename"]) {
      headers["X-Filename"] = encodeURIComponent(file.name);
    }
    const url = `${location.origin}${BASE}${path}${query.length ? `?${query.join("&")}` : ""}`;
    return {url, method: this.operation.method, headers, body: this.body?.value.trim() || file};
  }

  showCurl() {
    const {url, method, headers, body} = this.request();
    const lines = [`curl -sS ${method === "GET" ? "" : `-X ${method} `}${quoted(url)}`];
    for (const [name, value] of Object.entries(headers)) {
      lines.push(name === "Authorization" ? '-H "Authorization: Bearer $HUB_KEY"' : `-H ${quoted(`${name}: ${value}`)}`);
    }
    if (typeof body === "string" && body) lines.push(`-d ${quoted(body)}`);
    else if (body) lines.push(`--data-binary ${quoted(`@${body.name}`)}`);
    this.curl.textContent = lines.join(" \\\n  ");
  }

  async send(event) {
    event.preventDefault();
    if (this.running) {
      this.running.abort();
      return;
    }
    this.running = new AbortController();
    this.button.textContent = "Stop";
    const {url, ...request} = this.request();
    const began = performance.now();
    try {
      const answer = await fetch(url, {...request, signal: this.running.signal, cache: "no-store"});
      await this.show(answer, Math.round(performance.now() - began));
    } catch (error) {
      const text = error.name === "AbortError" ? "Stopped." : `No answer: ${error.message}`;
      if (error.name !== "AbortError" || !this.answer.childElementCount) this.answer.replaceChildren(make("p.problem", {}, text));
    } finally {
      this.running = null;
      this.button.textContent = "Send";
    }
  }

  async show(answer, took) {
    const kind = answer.headers.get("content-type") || "";
    const state = answer.ok ? "good" : "bad";
    const headers = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
    const head = make("div.status", {}, make(`span.${state}`, {}, `${answer.status} ${answer.statusText}`.trim()),
      make("span", {}, `${took} ms`), make("details", {}, make("summary", {}, "Headers"), make("pre", {}, headers)));
    this.answer.replaceChildren(head);
    if (kind.startsWith("text/event-stream")) return this.follow(answer);
    if (/json|text|svg/.test(kind)) return this.showText(await answer.text(), kind);
    const blob = await answer.blob();
    if (blob.size) this.answer.append(make("a.download", {href: URL.createObjectURL(blob), download: "answer"}, `Save ${blob.size} bytes`));
  }

  showText(text, kind) {
    let shown = text;
    if (kind.includes("json")) {
      try {
        const document = JSON.parse(text);
        if (document.error?.code) this.answer.append(this.problem(document.error));
        shown = JSON.stringify(document, null, 2);
      } catch { /* shown as it came */ }
    }
    if (shown.length > MOST_SHOWN) shown = `${shown.slice(0, MOST_SHOWN)}\n… ${shown.length} characters in all`;
    this.answer.append(make("div.caption", {}, "Answer", copier(() => text)), coloured(shown));
  }

  problem(error) {
    const known = this.api.errors.get(error.code);
    for (const {name, input} of this.inputs) input.classList.toggle("wrong", name === error.param);
    return make("div.problem", {}, make("strong", {}, error.code), error.param && make("code", {}, error.param),
      make("p", {}, error.message), known && make("p.meaning", {}, ...spans(known.meaning)));
  }

  async follow(answer) {
    const pre = make("pre.json");
    this.answer.append(make("div.caption", {}, "Stream"), pre);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const {done, value} = await reader.read();
      if (done) return;
      pre.textContent = (pre.textContent + value).slice(-MOST_SHOWN);
      pre.scrollTop = pre.scrollHeight;
    }
  }
}

function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
