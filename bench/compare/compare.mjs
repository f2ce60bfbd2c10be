// node compare.mjs ENGINE PHASE TASKS FOLDER: one phase of the work in this process, one JSON line for each measurement.
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as work from "./workload.mjs";

const [name, phase, count, folder] = [process.argv[2], process.argv[3], Number(process.argv[4]), process.argv[5]];
const engine = await import(`./engines/${name}.mjs`);
const packageName = { yjs: "yjs", automerge: "@automerge/automerge", loro: "loro-crdt" }[name];
const version = JSON.parse(readFileSync(new URL(`./node_modules/${packageName}/package.json`, import.meta.url))).version;
const file = join(folder, `${name}.bin`);

const peak = () => process.resourceUsage().maxRSS * 1024;
const elapsed = (since) => Math.round((performance.now() - since) * 1000) / 1000;
const content = (doc, sorted) => work.hash(JSON.parse(engine.json(doc)), sorted);

function report(measured, milliseconds, hash, bytes = null) {
  console.log(JSON.stringify({
    engine: name, version, runtime: `node ${process.versions.node}`, work: measured, tasks: count, milliseconds, bytes,
    peakMemoryBytes: peak(), hash, commit: process.env.COMPARE_COMMIT ?? "", machine: process.env.COMPARE_MACHINE ?? "",
  }));
}

function apply(doc, transactions) {
  for (const some of transactions) doc = engine.transact(doc, some);
  return doc;
}

function write() {
  let started = performance.now();
  let doc = apply(engine.create(), work.inserts(count));
  report("insert", elapsed(started), content(doc));
  started = performance.now();
  doc = apply(doc, work.updates(count));
  report("update", elapsed(started), content(doc));
  started = performance.now();
  writeFileSync(file, engine.save(doc));
  report("save", elapsed(started), null, statSync(file).size);
}

function load() {
  report("start", null, null);
  const started = performance.now();
  const doc = engine.load(readFileSync(file));
  const element = engine.element(doc, count >> 1);
  report("load-one", elapsed(started), work.hash([JSON.parse(element)]), statSync(file).size);
  const text = engine.json(doc);
  report("load-all", elapsed(started), work.hash(JSON.parse(text)), statSync(file).size);
}

function merge() {
  const base = engine.load(readFileSync(file));
  const copies = [engine.copy(base), engine.copy(base)].map((doc, i) => apply(doc, work.divergence(i, count)));
  const started = performance.now();
  const [a, b] = engine.merge(...copies);
  const took = elapsed(started);
  if (content(a) !== content(b)) throw new Error(`${name}: the copies differ after the merge`);
  report("merge", took, content(a, true));
}

({ write, load, merge })[phase]();
