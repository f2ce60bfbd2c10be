using System.Buffers.Text;
using CloudPeer.Sync.Relay;
using Npgsql;
using NpgsqlTypes;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;

namespace CloudPeer.Api.Relay.Store;

/// <summary>
/// What the nodes over one database tell each other: one notification in the transaction of each group commit, so that it is sent exactly if the
/// commit is, with the prefixes of the documents that it changed. A node does not hear itself.
/// </summary>
internal sealed class PostgresNotices
{
    private const string Channel = "cloudpeer_documents";
    private const int NodeBytes = 16;

    // PostgreSQL takes less than 8000 bytes; base64 makes four letters of three bytes.
    private const int PayloadBytes = 7_999 / 4 * 3;

    // How often a connection on which nothing comes is tried: one that is half open would be silent for ever.
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(15);

    private readonly byte[] _node = SystemEntropy.Instance.Bytes(NodeBytes);

    /// <summary>The most documents that one notification names; for more it says: any.</summary>
    public const int MaxDocuments = (PayloadBytes - NodeBytes) / DocPrefix.Size;

    /// <summary>The command that tells the other nodes; it belongs into the transaction that changes the documents.</summary>
    public NpgsqlBatchCommand Tell(IReadOnlyCollection<DocId> documents) => new("SELECT pg_notify($1, $2)")
    {
        Parameters =
        {
            new() { Value = Channel, NpgsqlDbType = NpgsqlDbType.Text },
            new() { Value = Write(documents), NpgsqlDbType = NpgsqlDbType.Text },
        },
    };

    /// <summary>See <see cref="IRelayStore.WatchAsync"/>.</summary>
    /// <param name="source">A database session of its own: not behind a pool that gives each transaction another one.</param>
    /// <param name="tell">Takes what other nodes tell.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task WatchAsync(NpgsqlDataSource source, Action<ChangedElsewhere> tell, CancellationToken cancellationToken) => StoreFailure.Translate<object>(async () =>
    {
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        connection.Notification += (_, notice) =>
        {
            if (Read(notice.Payload) is { } changed) tell(changed);
        };
        await ExecuteAsync(connection, $"LISTEN {Channel}", cancellationToken);
        tell(ChangedElsewhere.Any);
        while (true)
        {
            if (!await connection.WaitAsync(Silence, cancellationToken)) await ExecuteAsync(connection, "SELECT 1", cancellationToken);
        }
    });

    /// <summary>The node, then the prefixes; the node alone for any document.</summary>
    internal string Write(IReadOnlyCollection<DocId> documents)
    {
        var named = documents.Count <= MaxDocuments ? documents : [];
        var bytes = new byte[NodeBytes + named.Count * DocPrefix.Size];
        _node.CopyTo(bytes, 0);
        var rest = bytes.AsSpan(NodeBytes);
        foreach (var document in named)
        {
            DocPrefix.Of(document).CopyTo(rest);
            rest = rest[DocPrefix.Size..];
        }

        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>What another node told; null for what this one did. What cannot be read may be of a newer version: any document.</summary>
    internal ChangedElsewhere? Read(string payload)
    {
        if (!Base64Url.IsValid(payload)) return ChangedElsewhere.Any;
        var bytes = Base64Url.DecodeFromChars(payload).AsSpan();
        if (bytes.StartsWith(_node)) return null;
        if (bytes.Length <= NodeBytes || bytes.Length % DocPrefix.Size != 0) return ChangedElsewhere.Any;
        var documents = new DocPrefix[(bytes.Length - NodeBytes) / DocPrefix.Size];
        for (var i = 0; i < documents.Length; i++) documents[i] = DocPrefix.Read(bytes[(NodeBytes + i * DocPrefix.Size)..]);
        return new(documents);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
#pragma warning disable CA2100 // Constants of this class.
        await using var command = new NpgsqlCommand(sql, connection);
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
