using Tlfs.Core.Crdt;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;

namespace Tlfs.Core.Documents;

// Taking back what nobody else has (docs/protocol/sync.md §5).
public sealed partial class Replica
{
    /// <summary>
    /// Takes an envelope of this device and all its successors out of a document, whose chain then ends before them. What the deltas were to do is kept. If
    /// anything throws, nothing happened. <see cref="Reason.NothingToDo"/> if one of them was seen, or the document would be left without its beginning.
    /// </summary>
    /// <param name="document">The document.</param>
    /// <param name="first">The first of them.</param>
    /// <param name="reason">Why.</param>
    /// <param name="micros">The time, in microseconds since 1970.</param>
    /// <param name="isAcknowledged">Whether anybody is known to hold an envelope.</param>
    public Withdrawal Withdraw(DocId document, EnvelopeId first, Reason reason, ulong micros, Func<EnvelopeId, bool> isAcknowledged) =>
        Guarded(document, () => _store.Write(writer =>
        {
            var before = Refresh(document).Document;
            var tail = before.OwnFrom(first);
            if (tail.Any(held => isAcknowledged(held.Id)) || before.IsNamedByOthers(tail))
                throw new TlfsException(Reason.NothingToDo, "others have what would be withdrawn already: it stays");
            WithdrawnEdit[] edits = [.. tail.Where(held => held.Header.Type == EnvelopeType.Delta).Select(held => Kept(before, held, reason, micros))];
            var freed = writer.Withdraw(document, [.. tail.Select(held => held.Row)], edits);

            // Loading it anew shows that it is whole. The checkpoint tells other processes that have it open.
            Forget(document);
            var after = Refresh(document);
            if (after.Document.CarriedName is null) throw new TlfsException(Reason.NothingToDo, "the document begins with what would be withdrawn; delete it instead");
            after.SaveCheckpoint(writer, freed);
            return new Withdrawal(edits.Length, tail.Count - edits.Length);
        }));

    /// <summary>What was withdrawn from a document and not written again.</summary>
    public IReadOnlyList<WithdrawnEdit> Withdrawn(DocId document) => _store.Withdrawn(document);

    /// <summary>
    /// Writes what was withdrawn again, each delta as a new one, and forgets that it was withdrawn. If anything throws, nothing happened.
    /// <see cref="Reason.NothingToDo"/> without any; <see cref="Reason.PrevMissing"/> while the envelopes are not here that stand in the place of the old ones.
    /// </summary>
    /// <returns>How many deltas.</returns>
    public int Reapply(DocId document, LogHead? seen = null) => Guarded(document, () => _store.Write(writer =>
    {
        var loaded = Refresh(document);
        var edits = _store.Withdrawn(document);
        if (edits.Count == 0) throw new TlfsException(Reason.NothingToDo, "nothing of this document was withdrawn");
        var forked = edits.Where(edit => edit.Reason is Reason.Equivocation or Reason.ChainBroken).Select(edit => edit.Seq).DefaultIfEmpty().Min();
        if (loaded.Document.Chains.Length(Own.Device.Public) < forked)
            throw new TlfsException(Reason.PrevMissing, "what this device wrote before it was restored is not here yet; sync, then try again");
        var written = new RewrittenEdits();

        // What came back by itself, because a server had taken it after all, is not written twice.
        foreach (var edit in edits)
            if (loaded.Document.Find(edit.Envelope) is null) Write(writer, loaded, written, edit, seen);
        writer.ForgetWithdrawn(document);
        ApplySchema(loaded.Document);
        loaded.SaveCheckpointIfDue(writer);
        return written.Count;
    }));

    private void Write(IReplicaWriter writer, LoadedDocument loaded, RewrittenEdits written, WithdrawnEdit edit, LogHead? seen)
    {
        var old = edit.Operations();
        var operations = written.Rewrite(old);

        // A schema is carried again when it is needed.
        if (operations.Count == 0) return;
        var author = new DocumentAuthor(loaded.Document, _entropy, seen);
        written.Add(edit.Envelope, old, author.Write(operations));
        loaded.Append(writer, author.Bundle);
    }

    private static WithdrawnEdit Kept(Document document, HeldEnvelope held, Reason reason, ulong micros) =>
        document.OpenedOperations(held, out var closed) is { } operations
            ? WithdrawnEdit.Of(held, operations, reason, micros)
            : throw new TlfsException(closed ?? Reason.KeyMissing, "a change that would be withdrawn cannot be opened here, so it could not be written again");

    /// <summary>What stands in the place of what was withdrawn: removes name dots, and these have other names then.</summary>
    private sealed class RewrittenEdits
    {
        private readonly Dictionary<Dot, Dot> _names = [];

        public int Count { get; private set; }

        public void Add(EnvelopeId before, IReadOnlyList<IReadOnlyList<Operation>> old, IReadOnlyList<Dot> now)
        {
            Count++;
            var written = 0;
            for (ushort part = 0; part < old.Count; part++)
                for (var i = 0; i < old[part].Count; i++)
                    if (old[part][i] is not SchemaOperation) _names[new(before, part, (uint)i)] = now[written++];
        }

        public IReadOnlyList<Operation> Rewrite(IReadOnlyList<IReadOnlyList<Operation>> old) =>
            [.. old.SelectMany(part => part).Where(operation => operation is not SchemaOperation).Select(operation => operation is Remove remove ? Rewrite(remove) : operation)];

        private Remove Rewrite(Remove remove) => remove with { Dots = [.. remove.Dots.Select(dot => _names.GetValueOrDefault(dot, dot)).Order()] };
    }
}
