using System.Diagnostics.CodeAnalysis;
using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Log;

/// <summary>What a server is shown to have done.</summary>
public enum EvidenceKind
{
    /// <summary>It signed two logs of which none is the beginning of the other.</summary>
    Fork,
    /// <summary>It signed a shorter log after a longer one.</summary>
    Rollback,
    /// <summary>It was restored and said so: what it had acknowledged beyond is lost.</summary>
    Restored,
}

/// <summary>The root that the longer of two logs had at the size of the shorter one, and the proof of it (RFC 6962 §2.1.2).</summary>
/// <param name="Root">The root.</param>
/// <param name="Proof">The consistency proof from there to the longer log's root.</param>
public sealed record LogPrefix(Bytes32 Root, IReadOnlyList<Bytes32> Proof);

/// <summary>
/// What a server signed and did not keep to, in one record that anybody can check without the server (log.md §5):
/// <c>CBOR [kind, doc, server, [statement, …], [generation, …], null | [root, [hash, …]]]</c>.
/// </summary>
/// <param name="Kind">What it shows.</param>
/// <param name="Document">The document.</param>
/// <param name="Server">The server.</param>
/// <param name="Statements">What the server signed. A fork has the shorter log first, a rollback the earlier statement; what a restored server lost may be many.</param>
/// <param name="Generations">The generations of the log that are known, oldest first.</param>
/// <param name="Prefix">Of a fork with two sizes: what the longer log begins with; null if that is not known.</param>
public sealed record Evidence(
    EvidenceKind Kind, DocId Document, PeerId Server, IReadOnlyList<LogStatement> Statements, IReadOnlyList<Generation> Generations, LogPrefix? Prefix = null)
{
    /// <summary>More generations of one log than a server ever begins.</summary>
    public const int MaxGenerations = 1024;

    /// <summary>Statements in one record.</summary>
    public const int MaxStatements = 512;

    private const int MaxProof = 128, MaxBytes = 1 << 20;

    /// <summary>
    /// How much later, by the server's own clock, a shorter log must be signed than a longer one to be a rollback: two processes of one server may sign
    /// their heads in another order than the log grew in. So much may their clocks differ. Microseconds.
    /// </summary>
    internal const ulong Unordered = 10UL * 60 * 1_000_000;

    /// <summary>Fails for evidence that is not signed by the server itself; else says whether it proves, to anybody, what its kind says.</summary>
    public bool Verify() =>
        Statements.All(each => each.Document == Document && each.Server == Server && each.Verify())
        && Generations.All(each => each.Document == Document && each.Server == Server && each.Verify())
        && Kind switch
        {
            EvidenceKind.Fork => Statements is [var first, var second] && IsFork(first, second),
            EvidenceKind.Rollback => Statements is [var first, var second] && IsRollback(first, second),
            _ => Generations.Count > 0 && Statements.Count > 0 && Statements.All(each => Generations[^1].TakesBack(each.Size, each.Micros)),
        };

    /// <summary>The record's bytes.</summary>
    public byte[] Encode() => Canonical.Encode(writer =>
    {
        writer.BeginArray(6);
        writer.UInt((ulong)Kind);
        writer.Id(Document);
        writer.Id(Server);
        writer.Array(Statements, each => each.Write(writer));
        writer.Array(Generations, each => new GenerationStatement(each).Write(writer));
        if (Prefix is { } prefix)
        {
            writer.BeginArray(2);
            writer.Bytes32(prefix.Root);
            writer.Array(prefix.Proof, writer.Bytes32);
            writer.EndArray();
        }
        else
        {
            writer.Null();
        }

        writer.EndArray();
    });

    /// <summary>Reads a record; what it says is not checked.</summary>
    public static bool TryDecode(ReadOnlyMemory<byte> bytes, [NotNullWhen(true)] out Evidence? evidence, out DecodeError error) =>
        Canonical.TryDecode(bytes, MaxBytes, Read, out evidence, out error);

    private static Evidence Read(CanonicalReader reader)
    {
        reader.BeginArray(6);
        var kind = (EvidenceKind)reader.SmallInt((int)EvidenceKind.Restored);
        var document = reader.Id<DocId>();
        var server = reader.Id<PeerId>();
        var statements = reader.Array(MaxStatements, () => LogStatement.Read(reader, document, server));
        var generations = reader.Array(MaxGenerations, () => ReadGeneration(reader, document, server));
        LogPrefix? prefix = null;
        if (reader.Peek() == CanonicalKind.Null)
        {
            reader.Null();
        }
        else
        {
            reader.BeginArray(2);
            prefix = new(reader.Bytes32(), reader.Array(MaxProof, reader.Bytes32));
            reader.EndArray();
        }

        reader.EndArray();
        return new(kind, document, server, statements, generations, prefix);
    }

    private static Generation ReadGeneration(CanonicalReader reader, DocId document, PeerId server)
    {
        var statement = LogStatement.Read(reader, document, server) as GenerationStatement;
        CanonicalReader.Require(statement is not null, "a log generation expected");
        return statement.Generation;
    }

    private bool IsFork(LogStatement shorter, LogStatement longer)
    {
        if (shorter is GenerationStatement { Generation: var one } && longer is GenerationStatement { Generation: var other } && one.Number == other.Number)
            return (one.Size, one.Root, one.Micros) != (other.Size, other.Root, other.Micros);

        // A restore between them explains two logs, as long as both have what was restored.
        var (early, late) = shorter.Micros <= longer.Micros ? (shorter.Micros, longer.Micros) : (longer.Micros, shorter.Micros);
        if (Generations.Any(each => each.TakesBack(shorter.Size, early) && each.Micros <= late)) return false;
        if (shorter.Size == longer.Size) return shorter.Root != longer.Root;
        return Prefix is { } prefix && prefix.Root != shorter.Root
            && MerkleTree.VerifyConsistency(shorter.Size, prefix.Root, longer.Size, longer.Root, prefix.Proof);
    }

    private bool IsRollback(LogStatement earlier, LogStatement later) =>
        later.Size < earlier.Size
        && later.Micros >= earlier.Micros
        && later.Micros - earlier.Micros >= Unordered
        && !Generations.Any(each => each.TakesBack(earlier.Size, earlier.Micros) && each.Micros <= later.Micros && each.Size <= later.Size);
}
