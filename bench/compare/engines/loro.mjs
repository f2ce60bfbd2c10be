import { LoroDoc, LoroMap } from "loro-crdt";

export const create = () => new LoroDoc();

export function transact(doc, some) {
  const tasks = doc.getList("tasks");
  for (const edit of some) {
    if (edit.insert) {
      const map = tasks.insertContainer(edit.index, new LoroMap());
      map.set("title", edit.task.title);
      map.set("complete", edit.task.complete);
    } else {
      tasks.get(edit.index).set("title", edit.title);
    }
  }
  doc.commit();
  return doc;
}

export const save = (doc) => doc.export({ mode: "snapshot" });

export const load = (bytes) => LoroDoc.fromSnapshot(bytes);

export const element = (doc, index) => JSON.stringify(doc.getList("tasks").get(index).toJSON());

export const json = (doc) => JSON.stringify(doc.getList("tasks").toJSON());

export const copy = (doc) => load(save(doc));

export function merge(a, b) {
  const forB = a.export({ mode: "update", from: b.version() });
  const forA = b.export({ mode: "update", from: a.version() });
  a.import(forA);
  b.import(forB);
  return [a, b];
}
