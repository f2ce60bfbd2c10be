using System.Diagnostics.CodeAnalysis;
using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Sealing;

/// <summary>What an envelope of a snapshot says of itself, readable by servers (docs/protocol/envelope.md §5.1).</summary>
/// <param name="Index">Its place in the series, from 0.</param>
/// <param name="Count">Envelopes of the series, at most <see cref="Limits.SnapshotEnvelopes"/>.</param>
/// <param name="Zones">The zones whose live operations the series carries, ascending, at least one.</param>
public sealed record SnapshotBody(int Index, int Count, IReadOnlyList<ZoneId> Zones)
{
    /// <summary>The canonical bytes.</summary>
    public byte[] Encode() => Canonical.Encode(writer =>
    {
        writer.BeginArray(3);
        writer.UInt((ulong)Index);
        writer.UInt((ulong)Count);
        writer.Array(Zones, writer.Zone);
        writer.EndArray();
    });

    /// <summary>Reads a body; never throws for any input.</summary>
    public static bool TryDecode(ReadOnlyMemory<byte> bytes, [NotNullWhen(true)] out SnapshotBody? body, out DecodeError error) =>
        Canonical.TryDecode(bytes, Limits.BodyBytes, Read, out body, out error);

    private static SnapshotBody Read(CanonicalReader reader)
    {
        reader.BeginArray(3);
        var index = reader.SmallInt(Limits.SnapshotEnvelopes - 1);
        var count = reader.SmallInt(Limits.SnapshotEnvelopes);
        CanonicalReader.Require(index < count, "a snapshot's index is below its count");
        var zones = reader.Array(Limits.Zones + 1, reader.Zone);
        CanonicalReader.Require(zones.Length > 0, "a snapshot has zones");
        CanonicalReader.RequireAscending(zones, "zones");
        reader.EndArray();
        return new(index, count, zones);
    }

    /// <summary>Equal in every field and item.</summary>
    public bool Equals(SnapshotBody? other) => other is not null && Index == other.Index && Count == other.Count && Zones.SequenceEqual(other.Zones);

    /// <inheritdoc />
    public override int GetHashCode() => HashCode.Combine(Index, Count, Zones.Count);
}
