using System.Buffers.Binary;
using Tlfs.Core.Crdt;
using Tlfs.Core.Ids;
using Tlfs.Core.Radix;
using Tlfs.Core.Schema;

namespace Tlfs.Core.Documents;

/// <summary>
/// The schema versions that opened parts carry. A part may be checked against any of them, since a version's name is its hash; only parts in effect
/// have a say in which one the document is read through.
/// </summary>
internal sealed class CarriedSchemas(RadixEditor tree)
{
    private readonly Dictionary<SchemaHash, TlfsVersion> _known = [];
    private TlfsVersion? _longest;
    private bool _longestIsKnown;

    /// <summary>The longest version that a part in effect names, the smallest hash among equals; null if there is none.</summary>
    public TlfsVersion? Longest
    {
        get
        {
            if (!_longestIsKnown) _longest = FindLongest();
            _longestIsKnown = true;
            return _longest;
        }
    }

    /// <summary>Takes note that a part carries a version; true if that makes it known.</summary>
    public bool Learn(SchemaOperation carried, int number)
    {
        tree.Set(DocumentKey.Of(DocumentTag.Schema, carried.List.Hash.Value), carried.Encode());
        tree.Set(DocumentKey.Of(DocumentTag.Carrier, carried.List.Hash.Value, number), []);
        return _known.TryAdd(carried.List.Hash, new(carried.Version, carried.List));
    }

    /// <summary>The version with that hash, whoever carried it, or null.</summary>
    public TlfsVersion? Find(SchemaHash hash) => _known.GetValueOrDefault(hash);

    /// <summary>True if a part in effect carries the version, so that all who read the document have it.</summary>
    public bool Carries(SchemaHash hash) => Uses(hash).Carried > 0;

    /// <summary>Counts a part that came into effect (1), or one that no longer is (-1).</summary>
    public void Count(HeldEnvelope part, int change)
    {
        _longestIsKnown = false;
        Count(part.Schema, change, 0);
        if (part.Carried is { } carried) Count(carried, 0, change);
    }

    /// <summary>Knows exactly the versions of which a carrier can be read now.</summary>
    public void Recall(Func<int, bool> canRead)
    {
        _known.Clear();
        _longestIsKnown = false;
        foreach (var entry in tree.Scan(DocumentKey.Of(DocumentTag.Schema)))
        {
            var hash = DocumentKey.Id(entry.Key.Span);
            var carriers = tree.Scan(DocumentKey.Of(DocumentTag.Carrier, hash)).Select(carrier => DocumentKey.Number(carrier.Key.Span));
            if (!carriers.Any(canRead)) continue;
            if (!Operation.TryDecode(entry.Value, out var operation, out var error) || operation is not SchemaOperation carried)
                throw new InvalidOperationException(error.Detail);
            _known.Add(carried.List.Hash, new(carried.Version, carried.List));
        }
    }

    private TlfsVersion? FindLongest() => tree.Scan(DocumentKey.Of(DocumentTag.Uses))
        .Select(entry => new SchemaHash(DocumentKey.Id(entry.Key.Span)))
        .Where(hash => Uses(hash).Named > 0)
        .Select(Find).OfType<TlfsVersion>()
        .OrderByDescending(version => version.List.Lenses.Count).ThenBy(version => version.List.Hash).FirstOrDefault();

    private (int Named, int Carried) Uses(SchemaHash hash) => tree.TryGet(DocumentKey.Of(DocumentTag.Uses, hash.Value), out var counts)
        ? (BinaryPrimitives.ReadInt32BigEndian(counts.Span), BinaryPrimitives.ReadInt32BigEndian(counts.Span[sizeof(int)..]))
        : (0, 0);

    private void Count(SchemaHash hash, int named, int carried)
    {
        var before = Uses(hash);
        Span<byte> counts = stackalloc byte[2 * sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(counts, before.Named + named);
        BinaryPrimitives.WriteInt32BigEndian(counts[sizeof(int)..], before.Carried + carried);
        tree.Set(DocumentKey.Of(DocumentTag.Uses, hash.Value), counts);
    }
}
