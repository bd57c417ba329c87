// EventSource for a node without one: what the WHATWG standard says of it, as far as a page can tell the difference.
// Run as: node event_source.mjs <module of the example> <url>; prints what the example shows.

export class NodeEventSource extends EventTarget {
  readyState = 0;
  #url;
  #lastId = "";
  #retry = 3000;
  #aborting = new AbortController();

  constructor(url) {
    super();
    this.#url = url;
    this.#connect();
  }

  close() {
    this.readyState = 2;
    this.#aborting.abort();
  }

  async #connect() {
    try {
      const headers = { Accept: "text/event-stream" };
      if (this.#lastId) headers["Last-Event-ID"] = this.#lastId;
      const answer = await fetch(this.#url, { headers, signal: this.#aborting.signal });
      if (!answer.ok || !answer.headers.get("content-type")?.startsWith("text/event-stream")) {
        this.readyState = 2;
        this.#tell("error");
        return;
      }
      this.readyState = 1;
      this.#tell("open");
      await this.#read(answer.body);
    } catch {
      // Told below, like any end.
    }
    if (this.readyState === 2) return;
    this.readyState = 0;
    this.#tell("error");
    setTimeout(() => this.#connect(), this.#retry);
  }

  async #read(body) {
    let rest = "";
    for await (const text of body.pipeThrough(new TextDecoderStream())) {
      const blocks = (rest + text).split("\n\n");
      rest = blocks.pop();
      blocks.forEach((block) => this.#take(block));
    }
  }

  #take(block) {
    let [name, data] = ["message", []];
    for (const line of block.split("\n")) {
      const at = line.indexOf(":");
      const field = at < 0 ? line : line.slice(0, at);
      const value = at < 0 ? "" : line.slice(at + 1).replace(/^ /, "");
      if (field === "data") data.push(value);
      else if (field === "event") name = value;
      else if (field === "id") this.#lastId = value;
      else if (field === "retry") this.#retry = Number(value);
    }
    if (data.length) this.#tell(name, data.join("\n"));
  }

  #tell(name, data) {
    const event = new MessageEvent(name, { data, lastEventId: this.#lastId });
    this[`on${name}`]?.(event);
    this.dispatchEvent(event);
  }
}

if (process.argv.length > 2) {
  globalThis.EventSource ??= NodeEventSource;
  const { follow } = await import(process.argv[2]);
  const source = follow(process.argv[3], (line) => console.log(line));
  source.addEventListener("open", () => console.log("(open)"));
}
