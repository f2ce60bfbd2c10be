using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using CloudPeer.Sync.Relay;
using Tlfs.Core.Ids;

namespace CloudPeer.Api.Relay.Store;

/// <summary>A file of the <see cref="BlobFolder"/>: the parts of one envelope. An envelope's row names it by the tag.</summary>
/// <param name="Envelope">The envelope.</param>
/// <param name="Tag">Drawn for each attempt to store the envelope, so that what a failed one left is never taken for the file of a later one.</param>
internal readonly record struct StoredBlob(EnvelopeId Envelope, long Tag)
{
    /// <summary>The columns of an envelope's row that name its blob, as <see cref="Read"/> takes them. Rows with a blob have <c>blob_bytes &gt; 0</c>.</summary>
    public const string Columns = "id, blob_tag";

    private const int ShardLetters = 2, TagDigits = 16;

    private const string Prefix = "env_";

    /// <summary>The file, from the blob folder: one of 1,024 folders, then the envelope's id and the tag.</summary>
    public string File
    {
        get
        {
            var id = Envelope.ToString()[Prefix.Length..];
            return Path.Combine(id[..ShardLetters], string.Create(CultureInfo.InvariantCulture, $"{id}.{Tag:x16}"));
        }
    }

    /// <summary>Reads a file's name, without its folder.</summary>
    public static bool TryParse(string name, out StoredBlob blob)
    {
        blob = default;
        var parts = name.Split('.');
        if (parts.Length != 2 || parts[1].Length != TagDigits || !Id.TryParse<EnvelopeId>(Prefix + parts[0], out var id)) return false;
        if (!long.TryParse(parts[1], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var tag)) return false;
        blob = new(id, tag);
        return true;
    }

    /// <summary>Reads the columns of <see cref="Columns"/>.</summary>
    public static StoredBlob Read(DbDataReader row) => new(Id.From<EnvelopeId>(row.GetFieldValue<byte[]>(0)), row.GetInt64(1));
}

/// <summary>An entry as its row has it.</summary>
/// <param name="Entry">The entry; without its parts if they are a blob.</param>
/// <param name="Blob">Where the parts are, if they are not in the row.</param>
/// <param name="BlobBytes">Their length.</param>
[SuppressMessage("Performance", "CA1815", Justification = "Never compared.")]
internal readonly record struct StoredRow(LogEntry Entry, StoredBlob? Blob, int BlobBytes)
{
    /// <summary>Bytes of the whole envelope.</summary>
    public long Bytes => Entry.Bytes.Length + (long)BlobBytes;

    /// <summary>Rows of <see cref="StoredEnvelope.Columns"/> as long as none is missing, at most so many bytes; one entry may be larger.</summary>
    public static async Task<IReadOnlyList<StoredRow>> ReadDenseAsync(DbDataReader reader, ulong from, long maxBytes, CancellationToken cancellationToken)
    {
        var rows = new List<StoredRow>();
        long bytes = 0;
        while (await reader.ReadAsync(cancellationToken) && (ulong)reader.GetInt64(0) == from + (ulong)rows.Count)
        {
            var row = StoredEnvelope.Read(reader);
            bytes += row.Bytes;
            if (rows.Count > 0 && bytes > maxBytes) break;
            rows.Add(row);
        }

        return rows;
    }

    /// <summary>Rows of <see cref="StoredEnvelope.Columns"/> that have no blob.</summary>
    public static async Task<IReadOnlyList<PlacedEntry>> ReadPlacedAsync(DbDataReader reader, CancellationToken cancellationToken)
    {
        var entries = new List<PlacedEntry>();
        while (await reader.ReadAsync(cancellationToken)) entries.Add(new((ulong)reader.GetInt64(0), StoredEnvelope.Read(reader).Entry));
        return entries;
    }
}
