import * as Automerge from "@automerge/automerge";

// A title is a register in our schema; a plain string would be a text that is edited letter by letter.
const register = (text) => new Automerge.ImmutableString(text);

export const create = () => Automerge.change(Automerge.init(), (doc) => {
  doc.tasks = [];
});

export const transact = (doc, some) => Automerge.change(doc, (draft) => {
  const tasks = draft.tasks;
  for (const edit of some) {
    if (edit.insert) tasks.insertAt(edit.index, { title: register(edit.task.title), complete: edit.task.complete });
    else tasks[edit.index].title = register(edit.title);
  }
});

export const save = (doc) => Automerge.save(doc);

export const load = (bytes) => Automerge.load(bytes);

export const element = (doc, index) => JSON.stringify(doc.tasks[index]);

export const json = (doc) => JSON.stringify(doc.tasks);

export const copy = (doc) => Automerge.clone(doc);

export function merge(a, b) {
  const merged = Automerge.merge(a, b);
  return [merged, Automerge.merge(b, merged)];
}
