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
    public bool Learn(SchemaOperation carried, int number, ushort part)
    {
        tree.Set(DocumentKey.Of(DocumentTag.Schema, carried.List.Hash.Value), carried.Encode());
        tree.Set(DocumentKey.Of(DocumentTag.Carrier, carried.List.Hash.Value, number, part), []);
        return _known.TryAdd(carried.List.Hash, new(carried.Version, carried.List));
    }

    /// <summary>The version with that hash, whoever carried it, or null.</summary>
    public TlfsVersion? Find(SchemaHash hash) => _known.GetValueOrDefault(hash);

    /// <summary>True if a part in effect of the zone carries the version, so that all who read the zone have it.</summary>
    public bool Carries(SchemaHash hash, ZoneId zone) => CountAt(CarriedKey(hash, zone)) > 0;

    /// <summary>Counts a part that came into effect (1), or one that no longer is (-1).</summary>
    public void Count(HeldPart part, int change)
    {
        _longestIsKnown = false;
        Count(DocumentKey.Of(DocumentTag.Uses, part.Schema.Value), change);
        if (part.Carried is { } carried) Count(CarriedKey(carried, part.Zone), change);
    }

    /// <summary>Knows exactly the versions of which a carrier, a part by the envelope's number and its own, can be read now.</summary>
    public void Recall(Func<int, ushort, bool> canRead)
    {
        _known.Clear();
        _longestIsKnown = false;
        foreach (var entry in tree.Scan(DocumentKey.Of(DocumentTag.Schema)))
        {
            var hash = DocumentKey.Id(entry.Key.Span);
            if (!tree.Scan(DocumentKey.Of(DocumentTag.Carrier, hash)).Select(carrier => DocumentKey.Part(carrier.Key.Span)).Any(carrier => canRead(carrier.Number, carrier.Part)))
                continue;
            if (!Operation.TryDecode(entry.Value, out var operation, out var error) || operation is not SchemaOperation carried)
                throw new InvalidOperationException(error.Detail);
            _known.Add(carried.List.Hash, new(carried.Version, carried.List));
        }
    }

    private TlfsVersion? FindLongest() => tree.Scan(DocumentKey.Of(DocumentTag.Uses))
        .Select(entry => new SchemaHash(DocumentKey.Id(entry.Key.Span)))
        .Where(hash => CountAt(DocumentKey.Of(DocumentTag.Uses, hash.Value)) > 0)
        .Select(Find).OfType<TlfsVersion>()
        .OrderByDescending(version => version.List.Lenses.Count).ThenBy(version => version.List.Hash).FirstOrDefault();

    private int CountAt(byte[] key) => tree.TryGet(key, out var count) ? BinaryPrimitives.ReadInt32BigEndian(count.Span) : 0;

    private void Count(byte[] key, int change)
    {
        Span<byte> count = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(count, CountAt(key) + change);
        tree.Set(key, count);
    }

    private static byte[] CarriedKey(SchemaHash hash, ZoneId zone) => [.. DocumentKey.Of(DocumentTag.Carried, hash.Value), .. zone.ToArray()];
}
