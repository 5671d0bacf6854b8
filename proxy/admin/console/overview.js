// Keys and operations for people to look at.  The token lives in one variable and nowhere else; what the port answers
// becomes text, never markup.
"use strict";

const OFTEN = 3000, SELDOM = 30000;
const at = (id) => document.getElementById(id);
let token = null, inside = false, turn = 0, timers = [];

class Problem extends Error {
  constructor(status, text) { super(text); this.status = status; }
}

async function get(path) {
  const headers = token === null ? {} : { Authorization: "Bearer " + token };
  const answer = await fetch(path, { headers, cache: "no-store", credentials: "same-origin", redirect: "error" });
  const body = await answer.json();
  if (!answer.ok) throw new Problem(answer.status, [body.title, body.detail].filter(Boolean).join(": "));
  return body;
}

function made(name, text, className) {
  const element = document.createElement(name);
  if (text !== undefined && text !== null) element.textContent = text;
  if (className) element.className = className;
  return element;
}

function cell(content, className) {
  const element = made("td", undefined, className);
  element.append(...[content].flat().map((part) => (part instanceof Node ? part : document.createTextNode(part ?? ""))));
  return element;
}

const row = (...cells) => { const element = made("tr"); element.append(...cells); return element; };
const count = (number) => number.toLocaleString("en");
const moment = (text) => (text ? text.slice(0, 16).replace("T", " ") : "");
const state = (name) => made("span", name, "state " + name);

function left(seconds) {
  if (seconds === null) return "";
  if (seconds < 90) return Math.ceil(seconds) + " s left";
  return seconds < 5400 ? Math.ceil(seconds / 60) + " min left" : (seconds / 3600).toFixed(1) + " h left";
}

function progress(operation) {
  const parts = [], done = operation.state === "done";
  if (done && operation.total > 0) parts.push(made("small", count(operation.total) + " of " + count(operation.total)));
  else if (!done && operation.total > 0) {
    const bar = made("progress");
    bar.max = operation.total;
    bar.value = operation.done;
    bar.setAttribute("aria-label", operation.kind);
    const said = [count(operation.done) + " of " + count(operation.total)];
    if (operation.rate > 0 && operation.state === "running") said.push(count(Math.round(operation.rate)) + "/s");
    said.push(left(operation.seconds_left));
    parts.push(bar, made("small", [operation.step, ...said].filter(Boolean).join(", ")));
  } else if (!done && operation.step) parts.push(made("small", operation.step));
  if (operation.not_before && operation.state !== "done") parts.push(made("small", "not before " + moment(operation.not_before)));
  if (operation.problem) parts.push(made("small", operation.problem));
  return parts;
}

function about(target) {
  if (target.field) return [target.database + "/" + target.field, ...(target.key_id ? [made("small", "key " + target.key_id)] : [])];
  return target.key_id ? [made("code", target.key_id)] : [target.subject ? "subject " + target.subject : "all keys"];
}

function showOperations(page) {
  const rows = page.operations.map((each) => row(
    cell([each.kind, made("small", each.operation_id)], "whole"), cell(about(each.target)), cell(state(each.state)), cell(progress(each)), cell(each.requested_by),
    cell(each.approved_by), cell(moment(each.created_at), "whole")));
  at("operations").replaceChildren(...(rows.length ? rows : [row(cell(made("span", "none yet", "quiet")))]));
}

function showKeys(list) {
  at("keys").replaceChildren(...list.keys.map((each) => {
    const share = each.seals_left / each.seals_limit, seals = each.purpose === "cell";
    const used = each.used_by.map((place) => place.database + "/" + place.field).join(", ") || each.scope;
    return row(cell(made("code", each.key_id)), cell(each.purpose), cell(used), cell(String(each.epoch), "number"),
      cell(state(each.state)), cell(seals ? count(each.cells_sealed) : "", "number"),
      cell(seals ? (share * 100).toFixed(share < 1 ? 1 : 0) + " %" : ""));
  }));
}

async function look(path, show) {
  const mine = turn;
  try {
    const found = await get(path);
    if (mine !== turn) return;
    show(found);
    at("when").textContent = "as of " + new Date().toTimeString().slice(0, 8);
    at("problem").hidden = true;
  } catch (error) {
    if (mine === turn) tell(error);
    throw error;
  }
}

function tell(error) {
  const refused = error instanceof Problem;
  const unknown = "Not signed in: the token or certificate is not valid here, or no longer.";
  at("problem").textContent = !refused ? "The admin port does not answer." : error.status === 401 ? unknown : error.message;
  at("problem").hidden = false;
  if (inside && error.status === 401) leave(false);
}

async function enter(given) {
  leave(true);
  token = given;
  try {
    await Promise.all([look("/v1/operations?limit=25", showOperations), look("/v1/keys", showKeys)]);
  } catch { token = null; return; }
  inside = true;
  at("enter").hidden = true;
  at("work").hidden = at("who").hidden = false;
  timers = [setInterval(() => look("/v1/operations?limit=25", showOperations).catch(() => {}), OFTEN),
    setInterval(() => look("/v1/keys", showKeys).catch(() => {}), SELDOM)];
}

function leave(quietly) {
  timers.forEach(clearInterval);
  token = null; inside = false; turn += 1; timers = [];
  at("enter").hidden = false;
  at("work").hidden = at("who").hidden = true;
  at("operations").replaceChildren();
  at("keys").replaceChildren();
  if (quietly) at("problem").hidden = true;
}

at("enter").addEventListener("submit", (event) => {
  event.preventDefault();
  const given = at("token").value.trim();
  at("token").value = "";
  enter(given);
});
at("certificate").addEventListener("click", () => enter(null));
at("leave").addEventListener("click", () => leave(true));
