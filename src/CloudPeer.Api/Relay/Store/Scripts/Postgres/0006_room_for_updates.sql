-- These rows are written anew by every commit: with room in its page a new version needs no entry in any index, and the old one is removed in passing.
ALTER TABLE document SET (fillfactor = 50);
ALTER TABLE usage SET (fillfactor = 50);
