"use strict";
// Fills the table of candidates. Text reaches the page as text only: the page's policy refuses the rest.
(() => {
  const PAGE = 200;
  const MARKS = { passed: "✓", failed: "✗", "": "·" };
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const [search, outcome, mode, failed] = ["search", "outcome", "mode", "failed"].map(byId);
  const rows = byId("grid").tBodies[0];
  let found = [];

  function element(name, text, properties = {}) {
    const made = document.createElement(name);
    if (text !== null) made.textContent = text;
    return Object.assign(made, properties);
  }

  function colour(outcome) {
    return ["passed", "failed", "no_solution"].includes(outcome) ? outcome : "other";
  }

  function head() {
    const row = document.createElement("tr");
    row.append(element("th", "candidate", { scope: "col" }), element("th", "outcome", { scope: "col" }));
    for (const test of data.tests) {
      const cell = element("th", null, { scope: "col" });
      cell.append(element("span", test.replace(/^test_/, ""), { className: "test" }));
      row.append(cell);
    }
    byId("grid").tHead.append(row);
  }

  function line(candidate) {
    const row = document.createElement("tr");
    const name = element("td", null, { className: "name" });
    name.append(element("button", candidate.name, {
      className: "open", type: "button", title: candidate.name, onclick: () => show(candidate),
    }));
    const verdict = document.createElement("td");
    const text = candidate.outcome + (candidate.mode && candidate.mode !== candidate.outcome ? `: ${candidate.mode}` : "");
    verdict.append(element("span", text, { className: `outcome ${colour(candidate.outcome)}` }));
    row.append(name, verdict);
    candidate.tests.forEach((result, index) => {
      const cell = document.createElement("td");
      if (result) {
        const button = element("button", MARKS[result] ?? "!", {
          className: `cell ${colour(result)}`, type: "button", onclick: () => show(candidate, index),
        });
        button.setAttribute("aria-label", `${data.tests[index]}: ${result}`);
        cell.append(button);
      }
      row.append(cell);
    });
    return row;
  }

  function section(title, number, isOpen) {
    if (number === null) return [];
    const details = element("details", null, { open: isOpen });
    details.append(element("summary", title), element("pre", data.texts[number]));
    return [details];
  }

  function show(candidate, index = null) {
    byId("details-name").textContent = candidate.name;
    const facts = [candidate.outcome, candidate.mode !== candidate.outcome && candidate.mode,
      candidate.seconds !== null && `${candidate.seconds} s`,
      candidate.steps !== null && `${candidate.steps} steps`,
      candidate.tokens !== null && `${candidate.tokens.toLocaleString("en")} tokens`];
    const body = [element("p", facts.filter(Boolean).join(" · "))];
    if (index !== null) body.push(element("p", `${data.tests[index]}: ${candidate.tests[index]}`));
    if (candidate.tampering.length) {
      body.push(element("p", `Signs of tampering: ${candidate.tampering.join("; ")}`, { className: "notices" }));
    }
    const wasWritten = candidate.outcome !== "no_solution";
    const reason = wasWritten ? "What failed first" : "Why there is nothing to test";
    if (candidate.message) body.push(element("h3", reason), element("pre", candidate.message));
    if (index === null && candidate.tests.some(Boolean)) {
      const list = document.createElement("ul");
      data.tests.forEach((test, at) => list.append(element("li", `${test}: ${candidate.tests[at] || "not run"}`)));
      body.push(element("h3", "Tests"), list);
    }
    body.push(...section("Source", candidate.source, true), ...section("Transcript", candidate.transcript, false));
    if (candidate.source === null && wasWritten) body.push(element("p", "The source is not in this page: no file with its hash was found, or the page was full."));
    byId("details-body").replaceChildren(...body);
    byId("details").showModal();
    byId("details").scrollTop = 0;
  }

  function more() {
    rows.append(...found.slice(rows.rows.length, rows.rows.length + PAGE).map(line));
    const left = found.length - rows.rows.length;
    byId("more").hidden = left === 0;
    byId("more").textContent = `Show ${Math.min(left, PAGE)} more of ${left}`;
  }

  function filter() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const test = data.tests.indexOf(failed.value);
    found = data.candidates.filter((candidate) =>
      (!outcome.value || candidate.outcome === outcome.value)
      && (!mode.value || candidate.mode === mode.value)
      && (test < 0 || !["passed", ""].includes(candidate.tests[test]))
      && words.every((word) => candidate.text.includes(word)));
    byId("shown").textContent = `${found.length} of ${data.candidates.length}`;
    rows.replaceChildren();
    more();
  }

  for (const candidate of data.candidates) {
    candidate.text = `${candidate.name}\n${candidate.outcome}\n${candidate.mode}\n${candidate.message}`.toLowerCase();
  }
  const modes = [...new Set(data.candidates.map((candidate) => candidate.mode))].filter(Boolean).sort();
  for (const [select, values] of [[outcome, data.outcomes], [mode, modes], [failed, data.tests]]) {
    select.append(...values.map((value) => element("option", value, { value })));
  }
  head();
  filter();
  byId("filters").hidden = false;
  byId("filters").addEventListener("input", filter);
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("more").addEventListener("click", more);
  byId("details").addEventListener("click", (event) => { if (event.target === event.currentTarget) event.currentTarget.close(); });
})();
