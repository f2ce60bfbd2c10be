// node table.mjs LINES: the medians of the JSON lines of bench/compare.sh as a Markdown table, with each engine's ratio to ours.
import { readFileSync } from "node:fs";

const lines = readFileSync(process.argv[2], "utf8").trim().split("\n").map((line) => JSON.parse(line));
const engines = ["cloudpeer", "cloudpeer-core", "yjs", "automerge", "loro"].filter((name) => lines.some((line) => line.engine === name));
const ours = "cloudpeer";

const seconds = (value) => (value < 1000 ? `${value.toFixed(0)} ms` : `${(value / 1000).toFixed(value < 10_000 ? 2 : 1)} s`);
const mebibytes = (value) => `${(value / 1024 / 1024).toFixed(1)} MiB`;
const rows = [
  ["insert", "insert", "milliseconds", seconds],
  ["update", "update", "milliseconds", seconds],
  ["load, read one element", "load-one", "milliseconds", seconds],
  ["load, read all", "load-all", "milliseconds", seconds],
  ["merge 2 x 10,000 edits", "merge", "milliseconds", seconds],
  ["bytes on disk", "save", "bytes", mebibytes],
  ["peak memory: process started", "start", "peakMemoryBytes", mebibytes],
  ["peak memory: load, read one", "load-one", "peakMemoryBytes", mebibytes],
  ["peak memory: load, read all", "load-all", "peakMemoryBytes", mebibytes],
];

function median(engine, work, field) {
  const values = lines.filter((line) => line.engine === engine && line.work === work && line[field] !== null).map((line) => line[field]).sort((a, b) => a - b);
  return values.length === 0 ? null : values[values.length >> 1];
}

/** Merging needs two people, so ours is measured on the engine alone. */
const base = (work, field) => median(ours, work, field) ?? median("cloudpeer-core", work, field);

function cell(engine, [, work, field, show]) {
  const value = median(engine, work, field);
  if (value === null) return "";
  const to = base(work, field);
  return engine === ours || to === null ? show(value) : `${show(value)} (${(value / to).toPrecision(2)}x)`;
}

function checkContent() {
  const seen = new Map();
  for (const line of lines.filter((each) => each.hash !== null)) {
    const key = `${line.work} of ${line.tasks} tasks`;
    const first = seen.get(key) ?? line;
    seen.set(key, first);
    if (first.hash !== line.hash) throw new Error(`${line.engine} and ${first.engine} hold different content after ${key}`);
  }
}

checkContent();
const [first] = lines;
const versions = engines.map((name) => lines.find((line) => line.engine === name)).map((line) => `${line.engine} ${line.version} (${line.runtime})`);
console.log(`\n${first.tasks.toLocaleString("en")} tasks, commit ${first.commit}, ${first.machine}\n${versions.join(", ")}\nAll engines ended with equal content.\n`);
console.log(`| work | ${engines.join(" | ")} |\n|${" --- |".repeat(engines.length + 1)}`);
for (const row of rows) console.log(`| ${row[0]} | ${engines.map((engine) => cell(engine, row)).join(" | ")} |`);
