import * as Y from "yjs";

export const create = () => {
  const doc = new Y.Doc();
  doc.getArray("tasks");
  return doc;
};

export function transact(doc, some) {
  const tasks = doc.getArray("tasks");
  doc.transact(() => {
    for (const edit of some) {
      if (edit.insert) tasks.insert(edit.index, [new Y.Map(Object.entries(edit.task))]);
      else tasks.get(edit.index).set("title", edit.title);
    }
  });
  return doc;
}

export const save = (doc) => Y.encodeStateAsUpdate(doc);

export const load = (bytes) => {
  const doc = create();
  Y.applyUpdate(doc, bytes);
  return doc;
};

export const element = (doc, index) => JSON.stringify(doc.getArray("tasks").get(index).toJSON());

export const json = (doc) => JSON.stringify(doc.getArray("tasks").toJSON());

export const copy = (doc) => load(save(doc));

export function merge(a, b) {
  const forB = Y.encodeStateAsUpdate(a, Y.encodeStateVector(b));
  const forA = Y.encodeStateAsUpdate(b, Y.encodeStateVector(a));
  Y.applyUpdate(a, forA);
  Y.applyUpdate(b, forB);
  return [a, b];
}
