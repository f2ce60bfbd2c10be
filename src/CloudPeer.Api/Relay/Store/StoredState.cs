using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Data.Common;
using CloudPeer.Sync.Log;
using CloudPeer.Sync.Relay;
using Tlfs.Core.Ids;

namespace CloudPeer.Api.Relay.Store;

/// <summary>The columns of a document's state row, the same in both databases.</summary>
internal static class StoredState
{
    /// <summary>The columns in the order in which <see cref="Read"/> takes them.</summary>
    public const string Columns = "doc, host, hosting, frontier, statements, stored_bytes, tips, app, generation, author_bytes";

    // author, seq, id, index, is policy, number of auth heads
    private const int TipBytes = 32 + 8 + 32 + 8 + 1 + 1;

    /// <summary>Reads a row.</summary>
    public static DocumentState Read(DbDataReader row)
    {
        if (!CompactRange.TryDecode(row.GetFieldValue<byte[]>(3), out var log)) throw Damaged();
        return new(
            Id.From<DocId>(row.GetFieldValue<byte[]>(0)),
            Id.From<AccountId>(row.GetFieldValue<byte[]>(1)),
            (HostingState)row.GetInt32(2),
            log,
            row.GetInt32(4),
            (ulong)row.GetInt64(5),
            StoredUsage.AddAuthors(DecodeTips(row.GetFieldValue<byte[]>(6)), row.GetFieldValue<byte[]>(9)))
        {
            App = row.GetString(7),
            Generation = (uint)row.GetInt64(8),
        };
    }

    /// <summary>The column <c>tips</c>.</summary>
    public static byte[] EncodeTips(IReadOnlyDictionary<PeerId, AuthorTip> tips)
    {
        var bytes = new byte[tips.Values.Sum(tip => TipBytes + tip.Auth.Count * Bytes32.Size)];
        var rest = bytes.AsSpan();
        foreach (var (author, tip) in tips)
        {
            author.Value.CopyTo(rest);
            BinaryPrimitives.WriteUInt64BigEndian(rest[32..], tip.Seq);
            tip.Id.Value.CopyTo(rest[40..]);
            BinaryPrimitives.WriteUInt64BigEndian(rest[72..], tip.Index);
            rest[80] = tip.IsPolicy ? (byte)1 : (byte)0;
            rest[81] = (byte)tip.Auth.Count;
            rest = rest[TipBytes..];
            foreach (var head in tip.Auth)
            {
                head.Value.CopyTo(rest);
                rest = rest[Bytes32.Size..];
            }
        }

        return bytes;
    }

    private static ImmutableDictionary<PeerId, AuthorTip> DecodeTips(ReadOnlySpan<byte> rest)
    {
        var tips = ImmutableDictionary.CreateBuilder<PeerId, AuthorTip>();
        while (!rest.IsEmpty)
        {
            if (rest.Length < TipBytes || rest.Length < TipBytes + rest[81] * Bytes32.Size) throw Damaged();
            var auth = new EnvelopeId[rest[81]];
            for (var i = 0; i < auth.Length; i++) auth[i] = Id.From<EnvelopeId>(rest.Slice(TipBytes + i * Bytes32.Size, Bytes32.Size));
            tips.Add(
                Id.From<PeerId>(rest[..32]),
                new(
                    BinaryPrimitives.ReadUInt64BigEndian(rest[32..]),
                    Id.From<EnvelopeId>(rest.Slice(40, 32)),
                    BinaryPrimitives.ReadUInt64BigEndian(rest[72..]),
                    rest[80] == 1,
                    auth));
            rest = rest[(TipBytes + auth.Length * Bytes32.Size)..];
        }

        return tips.ToImmutable();
    }

    private static InvalidOperationException Damaged() => new("A document's state row is damaged.");
}
