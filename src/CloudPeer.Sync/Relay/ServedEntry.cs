using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;

namespace CloudPeer.Sync.Relay;

/// <summary>An entry of a log as one reader gets it (envelope.md §1.5).</summary>
/// <param name="Id">The envelope.</param>
/// <param name="Author">Who signed it.</param>
/// <param name="Bytes">The whole envelope; empty if parts are withheld.</param>
/// <param name="Partial">The envelope without the parts that are withheld; null if none is.</param>
public sealed record ServedEntry(EnvelopeId Id, PeerId Author, ReadOnlyMemory<byte> Bytes, Envelope? Partial)
{
    /// <summary>Everybody who is served gets all headers and statements; parts are for those who may Sync their zone now (sync.md §3.1).</summary>
    internal static IReadOnlyList<ServedEntry> For(IReadOnlyList<LogEntry> entries, PolicyView policy, PeerId reader, bool headersOnly)
    {
        if (!headersOnly && policy.May(reader, Permission.Sync)) return [.. entries.Select(Whole)];
        var zones = new Dictionary<ZoneId, bool>();
        bool IsWithheld(PartHeader part)
        {
            if (headersOnly) return true;
            if (!zones.TryGetValue(part.Zone, out var may)) zones.Add(part.Zone, may = policy.May(reader, Permission.Sync, part.Zone));
            return !may;
        }

        return [.. entries.Select(entry => Without(entry, IsWithheld))];
    }

    private static ServedEntry Whole(LogEntry entry) => new(entry.Id, entry.Author, entry.Bytes, null);

    private static ServedEntry Without(LogEntry entry, Func<PartHeader, bool> withhold)
    {
        if (!Envelope.TryDecode(entry.Bytes, out var envelope, out var error))
            throw new InvalidOperationException($"The log holds an envelope that cannot be read: {error.Detail}.");
        var partial = envelope.Without(withhold);
        return partial.IsWhole ? Whole(entry) : new(entry.Id, entry.Author, default, partial);
    }
}
