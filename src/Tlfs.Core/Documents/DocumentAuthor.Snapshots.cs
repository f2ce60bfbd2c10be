using Tlfs.Core.Crdt;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;

namespace Tlfs.Core.Documents;

// What is there now, for those who do not read how it came about (docs/protocol/envelope.md §5).
public sealed partial class DocumentAuthor
{
    // An envelope with less is quicker to lose and to fetch again; the overhead is a hundredth then.
    private const int SnapshotBytes = 256 << 10;

    /// <summary>
    /// Writes what is there now in every zone that this device may write: a new device begins with it. <see cref="Reason.NotAuthorised"/> if there is none.
    /// </summary>
    /// <returns>How many envelopes.</returns>
    public int Snapshot()
    {
        ZoneId[] zones = [.. Writable().Order()];
        return zones.Length > 0 ? Snapshot(zones) : throw MayNotWrite("in this document");
    }

    /// <summary>
    /// Writes a snapshot if the last one is <see cref="Limits.EnvelopesPerSnapshot"/> envelopes ago and this device wrote the newest envelope, so that not all members
    /// do it at once. Makes nothing if this device does not have, or may not write, all of the document.
    /// </summary>
    public void SnapshotIfDue()
    {
        if (document.SinceSnapshot < Limits.EnvelopesPerSnapshot || document.Log[^1].Envelope.Header.Author != Self || !document.Policy.May(Self, Permission.Write)) return;
        try
        {
            Snapshot();
        }
        catch (TlfsException e) when (e.Reason == Reason.KeyMissing)
        {
            // Somebody who reads the document from its beginning will do it.
        }
    }

    /// <summary>Writes a snapshot of zone 0 with these forwards, whatever they are; for tests of what others make of it.</summary>
    internal void SealSnapshot(IReadOnlyList<Forward> forwards) => Seal(
        EnvelopeType.Snapshot, [ZoneId.Root], [new(document.CarriedSchema.List.Hash, [new SchemaOperation(document.CarriedSchema.Version, document.CarriedSchema.List)], [], forwards)], new SnapshotBody(0, 1, [ZoneId.Root]).Encode(), OwnWrite(ZoneId.Root));

    private int Snapshot(ZoneId[] zones)
    {
        var contents = zones.SelectMany(zone => Contents(zone).Select(content => (Zone: zone, Content: content))).ToArray();
        if (contents.Length > Limits.SnapshotEnvelopes) throw new TlfsException(Reason.TooLarge, "the document is too large for a snapshot");
        for (var i = 0; i < contents.Length; i++)
        {
            var body = new SnapshotBody(i, contents.Length, zones).Encode();
            Seal(EnvelopeType.Snapshot, [contents[i].Zone], [contents[i].Content], body, OwnWrite(contents[i].Zone));
        }

        return contents.Length;
    }

    // The versions one after the other, each carried once, the one through which the document is read first.
    private IEnumerable<OpenedPart> Contents(ZoneId zone)
    {
        var forwards = document.ShownIn(zone).Select(Forward).ToLookup(forward => forward.Schema);
        foreach (var schema in forwards.Select(group => group.Key).Prepend(document.CarriedSchema.List.Hash).Distinct().Select(hash => document.SchemaOf(hash)!))
        {
            Operation[] carried = [new SchemaOperation(schema.Version, schema.List)];
            foreach (var chunk in Chunks(forwards[schema.List.Hash]).DefaultIfEmpty([]))
            {
                yield return new(schema.List.Hash, carried, [], chunk);
                carried = [];
            }
        }
    }

    private Forward Forward((HeldEnvelope Held, HeldPart Part, IReadOnlyList<int> Indices) shown)
    {
        var (held, part, indices) = shown;
        if (!part.IsOpen || document.KeyOf(part, out _) is not { } key || !PartContent.TryOpen(held.Envelope, part.Index, key, out var content, out _))
            throw new TlfsException(Reason.KeyMissing, "you do not have all that was written here, so somebody who reads it from its beginning must do this");
        return content.Forward(held.Envelope, part.Index, key, indices);
    }

    private static IEnumerable<IReadOnlyList<Forward>> Chunks(IEnumerable<Forward> forwards)
    {
        var chunk = new List<Forward>();
        var (bytes, operations) = (0, 0);
        foreach (var forward in forwards)
        {
            var size = forward.Operations.Sum(operation => operation.Bytes.Length + 24) + (forward.Hashes.Count * 34) + 80;
            if (chunk.Count > 0 && (bytes + size > SnapshotBytes || operations + forward.Operations.Count >= Limits.Operations || chunk.Count == Limits.Forwards))
            {
                yield return chunk.Order().ToArray();
                (chunk, bytes, operations) = ([], 0, 0);
            }

            chunk.Add(forward);
            bytes += size;
            operations += forward.Operations.Count;
        }

        if (chunk.Count > 0) yield return chunk.Order().ToArray();
    }
}
