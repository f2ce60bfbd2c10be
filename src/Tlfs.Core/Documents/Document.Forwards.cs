using Tlfs.Core.Crdt;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;

namespace Tlfs.Core.Documents;

// Operations of parts that are not open here, proven by parts that are (docs/protocol/envelope.md §4).
public sealed partial class Document
{
    /// <summary>True if operations of the part were forwarded by another.</summary>
    internal bool IsForwarded(HeldEnvelope held, HeldPart part) => _tree.CountUnder(DocumentKey.Of(DocumentTag.Forwarded, held.Id.Value, part.Index)) > 0;

    private bool HasForwards => _tree.CountUnder(DocumentKey.Of(DocumentTag.Forwarded)) > 0;

    // A part came into effect, or no longer is, and with it what it forwards.
    private void SettleForwards(HeldEnvelope carrier, HeldPart part, bool now)
    {
        foreach (var forward in ContentOf(carrier, part).Forwards)
        {
            var source = _log.Find(forward.Envelope);
            var closed = source is not null && forward.Part < source.Parts.Count && !source.Parts[forward.Part].IsOpen ? source.Parts[forward.Part] : null;
            var key = DocumentKey.Of(DocumentTag.Forwarded, forward.Envelope.Value, (ushort)forward.Part, carrier.Number, part.Index);
            if (now)
            {
                var counts = closed is { Outcome.Status: EnvelopeStatus.KeyMissing };
                var before = counts && _state.IsApplied(source!.Id, closed!.Index) ? ForwardedOperations(source, closed) : null;
                _tree.Set(key, []);
                if (counts && Proven(forward, source!, part.Zone) is { } proven) Apply(source!, closed!, proven, before);
                continue;
            }

            // What it brought is taken back before it is forgotten; what others bring too is put in again.
            if (closed is not null) _state.Unapply(source!.Id, closed.Index);
            _tree.Remove(key);
            if (closed is not null) SettleForwarded(source!, closed);
        }
    }

    // Step 7 decides about what is forwarded as about any other part; a part that is open speaks for itself.
    private void SettleForwarded(HeldEnvelope held, HeldPart part)
    {
        if (!HasForwards || !IsForwarded(held, part)) return;
        var counts = !part.IsOpen && part.Outcome.Status == EnvelopeStatus.KeyMissing;
        if (counts == _state.IsApplied(held.Id, part.Index)) return;
        if (counts) _state.Apply(held.Id, part.Index, ForwardedOperations(held, part));
        else _state.Unapply(held.Id, part.Index);
    }

    private void Apply(HeldEnvelope held, HeldPart part, IReadOnlyList<Operation?> operations) =>
        Apply(held, part, operations, HasForwards && _state.IsApplied(held.Id, part.Index) ? ForwardedOperations(held, part) : null);

    private void Apply(HeldEnvelope held, HeldPart part, IReadOnlyList<Operation?> operations, Operation?[]? before)
    {
        if (before is null) _state.Apply(held.Id, part.Index, operations);
        else _state.Complete(held.Id, part.Index, before, operations);
    }

    // With a hole for each operation that nobody forwarded.
    private Operation?[] ForwardedOperations(HeldEnvelope held, HeldPart part)
    {
        Operation?[] all = [];
        foreach (var entry in _tree.Scan(DocumentKey.Of(DocumentTag.Forwarded, held.Id.Value, part.Index)).ToArray())
        {
            var (number, index) = DocumentKey.Part(entry.Key.Span);
            var carrier = _log[number];
            foreach (var forward in ContentOf(carrier, carrier.Parts[index]).Forwards.Where(forward => forward.Envelope == held.Id && forward.Part == part.Index))
            {
                if (Proven(forward, held, carrier.Parts[index].Zone) is not { } proven) continue;
                if (all.Length == 0) all = new Operation?[proven.Length];
                for (var i = 0; i < all.Length; i++) all[i] ??= proven[i];
            }
        }

        return all;
    }

    // Null unless the header of the part commits to the operations, and they lie in the carrier's zone and fit the schema.
    private Operation?[]? Proven(Forward forward, HeldEnvelope source, ZoneId zone)
    {
        if (PathOf(zone) is not { } place || _schemas.Find(forward.Schema) is not { } schema) return null;
        if (!OperationTree.TryRoot(forward, out var root) || root != source.Header.Parts[forward.Part].OpsRoot) return null;
        var operations = new Operation?[forward.Count];
        foreach (var forwarded in forward.Operations)
        {
            if (!Operation.TryDecode(forwarded.Bytes, out var operation, out _) || operation is SchemaOperation) return null;
            if (PathOf(operation) is not { } path || !place.Contains(path) || !OperationCheck.Fits(schema.List.View, operation, out _)) return null;
            operations[forwarded.Index] = operation;
        }

        return operations;
    }
}
