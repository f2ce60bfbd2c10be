using System.Buffers.Binary;
using System.Data.Common;
using CloudPeer.Sync.Relay;
using Tlfs.Core.Ids;

namespace CloudPeer.Api.Relay.Store;

/// <summary>What the devices of a document have acknowledged: one row for all of them, the same in both databases.</summary>
internal static class StoredDeliveries
{
    // Device, size, micros.
    private const int EachBytes = Bytes32.Size + 2 * sizeof(ulong);

    /// <summary>Selects the row of the document that is the parameter of this name.</summary>
    public static string Select(string document) => $"SELECT devices FROM delivered WHERE doc = {document}";

    /// <summary>Reads the column <c>devices</c>, if there is a row.</summary>
    public static async Task<IReadOnlyList<Delivered>> ReadAsync(DbDataReader reader, CancellationToken cancellationToken) =>
        await reader.ReadAsync(cancellationToken) ? Decode(await reader.GetFieldValueAsync<byte[]>(0, cancellationToken)) : [];

    /// <summary>See <see cref="IRelayStore.UpdateDeliveredAsync"/>.</summary>
    /// <param name="connection">Nobody else's.</param>
    /// <param name="locks">What makes a select lock its rows, and what makes it wait for whoever deletes them.</param>
    /// <param name="documents">The documents, ascending.</param>
    /// <param name="change">Makes what is known from what was.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<bool> UpdateAsync(
        DbConnection connection,
        (string Update, string KeyShare) locks,
        IReadOnlyList<DocId> documents,
        Func<DocId, IReadOnlyList<Delivered>, IReadOnlyList<Delivered>> change,
        CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        foreach (var document in documents)
        {
            (string, object) doc = ("doc", document.Value.ToArray());
            await using var make = StoredUsage.Command(
                connection,
                transaction,
                $"INSERT INTO delivered (doc, devices) SELECT doc, @devices FROM document WHERE doc = @doc{locks.KeyShare} ON CONFLICT (doc) DO NOTHING",
                doc,
                ("devices", Array.Empty<byte>()));
            await make.ExecuteNonQueryAsync(cancellationToken);
            await using var find = StoredUsage.Command(connection, transaction, Select("@doc") + locks.Update, doc);
            IReadOnlyList<Delivered> known;
            await using (var reader = await find.ExecuteReaderAsync(cancellationToken)) known = await ReadAsync(reader, cancellationToken);
            await using var save = StoredUsage.Command(
                connection, transaction, "UPDATE delivered SET devices = @devices WHERE doc = @doc", doc, ("devices", Encode(change(document, known))));
            await save.ExecuteNonQueryAsync(cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    private static byte[] Encode(IReadOnlyList<Delivered> all)
    {
        var bytes = new byte[all.Count * EachBytes];
        var rest = bytes.AsSpan();
        foreach (var each in all)
        {
            each.Device.Value.CopyTo(rest);
            BinaryPrimitives.WriteUInt64BigEndian(rest[Bytes32.Size..], each.Size);
            BinaryPrimitives.WriteUInt64BigEndian(rest[(Bytes32.Size + sizeof(ulong))..], each.Micros);
            rest = rest[EachBytes..];
        }

        return bytes;
    }

    private static IReadOnlyList<Delivered> Decode(byte[] bytes)
    {
        if (bytes.Length % EachBytes != 0) throw new InvalidOperationException("A document's row of acknowledgements is damaged.");
        return
        [
            .. bytes.Chunk(EachBytes).Select(each => new Delivered(
                Id.From<PeerId>(each.AsSpan(0, Bytes32.Size)),
                BinaryPrimitives.ReadUInt64BigEndian(each.AsSpan(Bytes32.Size)),
                BinaryPrimitives.ReadUInt64BigEndian(each.AsSpan(Bytes32.Size + sizeof(ulong))))),
        ];
    }
}
