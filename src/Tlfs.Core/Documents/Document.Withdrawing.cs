using Tlfs.Core.Ids;

namespace Tlfs.Core.Documents;

// What this device may take back.
public sealed partial class Document
{
    /// <summary>This device's envelopes from one on to the end of its chain.</summary>
    internal IReadOnlyList<HeldEnvelope> OwnFrom(EnvelopeId first)
    {
        var self = Own.Device.Public;
        if (_log.Find(first) is not { } held || held.Header.Author != self) throw new TlfsException(Reason.NothingToDo, "this device has no such envelope in the document");
        var tail = new List<HeldEnvelope>();
        for (var seq = held.Header.Seq; _chains.At(self, seq) is { } id; seq++) tail.Add(_log.Find(id)!);
        return tail;
    }

    /// <summary>True if an envelope of somebody else rests on one of these of this device.</summary>
    internal bool IsNamedByOthers(IReadOnlyList<HeldEnvelope> own)
    {
        var ids = own.Select(held => held.Id).ToHashSet();

        // Causes come before effects.
        return Enumerable.Range(own[0].Number, _log.Count - own[0].Number).Select(number => _log[number].Header)
            .Any(header => header.Author != Own.Device.Public && header.Deps.Concat(header.Auth).Any(ids.Contains));
    }
}
