using Tlfs.Core.Crdt;
using Tlfs.Core.Ids;
using Tlfs.Core.Schema;

namespace Tlfs.Core.Documents;

/// <summary>
/// The schema versions that opened parts carry. A part may be checked against any of them, since a version's name is its hash; only parts in effect
/// have a say in which one the document is read through.
/// </summary>
internal sealed class CarriedSchemas
{
    private readonly Dictionary<SchemaHash, TlfsVersion> _known = [];
    private readonly Dictionary<SchemaHash, int> _named = [];
    private readonly Dictionary<SchemaHash, int> _carried = [];

    /// <summary>The longest version that a part in effect names, the smallest hash among equals; null if there is none.</summary>
    public TlfsVersion? Longest => _named.Keys.Select(hash => _known[hash])
        .OrderByDescending(version => version.List.Lenses.Count).ThenBy(version => version.List.Hash).FirstOrDefault();

    /// <summary>Takes note of a version; true if it is new.</summary>
    public bool Learn(SchemaOperation carried) => _known.TryAdd(carried.List.Hash, new(carried.Version, carried.List));

    /// <summary>The version with that hash, whoever carried it, or null.</summary>
    public TlfsVersion? Find(SchemaHash hash) => _known.GetValueOrDefault(hash);

    /// <summary>True if a part in effect carries the version, so that all who read the document have it.</summary>
    public bool Carries(SchemaHash hash) => _carried.ContainsKey(hash);

    /// <summary>Counts a part that came into effect (1), or one that no longer is (-1).</summary>
    public void Count(HeldEnvelope part, int change)
    {
        Count(_named, part.Schema, change);
        if (part.Carried is { } carried) Count(_carried, carried.List.Hash, change);
    }

    /// <summary>Forgets the versions, before all parts are read again.</summary>
    public void Forget() => _known.Clear();

    private static void Count(Dictionary<SchemaHash, int> counts, SchemaHash hash, int change)
    {
        var count = counts.GetValueOrDefault(hash) + change;
        if (count == 0) counts.Remove(hash);
        else counts[hash] = count;
    }
}
