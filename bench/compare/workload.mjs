// The same work as bench/CloudPeer.Bench/Compare/Workload.cs: change both together.

export const perTransaction = 100;
export const edits = 10_000;

export const task = (i) => ({ title: `task ${i}`, complete: i % 2 === 0 });

/** A sequence of pseudo-random indexes below a bound; the bound may grow. */
export function indexes(seed) {
  let x = seed;
  return (bound) => {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    return Math.floor((x * bound) / 4294967296);
  };
}

/** Transactions of 100 inserts that make an array of `count` tasks. */
export function* inserts(count) {
  for (let at = 0; at < count; at += perTransaction) {
    const some = [];
    for (let i = at; i < Math.min(at + perTransaction, count); i++) some.push({ insert: true, index: i, task: task(i) });
    yield some;
  }
}

/** Transactions of 100 new titles for pseudo-random elements of `count`. */
export function* updates(count) {
  const next = indexes(42);
  for (let at = 0; at < count; at += perTransaction) {
    const some = [];
    for (let i = at; i < Math.min(at + perTransaction, count); i++) some.push({ index: next(count), title: `title ${i}` });
    yield some;
  }
}

/**
 * What one of two copies of `count` tasks does on its own: in turn a task appended and a new title for one of the first `count` tasks. Copy 0 changes
 * tasks of even index and copy 1 those of odd index, so that every engine ends with the same titles; both append.
 */
export function* divergence(copy, count) {
  const next = indexes(7 + copy);
  let length = count;
  for (let at = 0; at < edits; at += perTransaction) {
    const some = [];
    for (let i = at; i < at + perTransaction; i++) {
      if (i % 2 === 0) some.push({ insert: true, index: length++, task: { title: `copy ${copy} ${i}`, complete: false } });
      else some.push({ index: next(count >> 1) * 2 + copy, title: `copy ${copy} title ${i}` });
    }
    yield some;
  }
}

/** FNV-1a of tasks as JSON, with the length: equal for equal content. */
export function hash(tasks, sorted = false) {
  let lines = tasks.map((each) => JSON.stringify({ complete: each.complete, title: each.title }));
  if (sorted) lines = lines.sort();
  const text = `[${lines.join(",")}]`;
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return `${h.toString(16).padStart(8, "0")}-${text.length}`;
}
