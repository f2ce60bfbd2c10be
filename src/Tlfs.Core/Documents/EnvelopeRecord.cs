using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Documents;

/// <summary>What is kept of an envelope beside its bytes.</summary>
/// <param name="Id">The envelope.</param>
/// <param name="Row">Its row in the store; 0 while it is in none.</param>
/// <param name="Outcome">What became of it.</param>
/// <param name="IsRead">Whether its part was opened or found to be defective.</param>
/// <param name="Defect">Why its part never opens.</param>
/// <param name="Schema">The schema version its operations follow; zero unless open.</param>
/// <param name="Carried">The schema version that its part carries.</param>
internal sealed record EnvelopeRecord(EnvelopeId Id, long Row, Outcome Outcome, bool IsRead, Reason? Defect, SchemaHash Schema, SchemaHash? Carried)
{
    private const int MaxBytes = 4 << 10;

    public byte[] Encode() => Canonical.Encode(writer =>
    {
        writer.BeginArray(9);
        writer.Id(Id);
        writer.UInt((ulong)Row);
        writer.UInt((ulong)Outcome.Status);
        WriteReason(writer, Outcome.Reason);
        if (Outcome.Why is { } why) writer.Text(why);
        else writer.Null();
        writer.Bool(IsRead);
        WriteReason(writer, Defect);
        writer.Id(Schema);
        writer.OptionalId(Carried);
        writer.EndArray();
    });

    public static EnvelopeRecord Decode(ReadOnlyMemory<byte> bytes)
    {
        if (!Canonical.TryDecode(bytes, MaxBytes, Read, out var record, out var error)) throw new InvalidOperationException(error.Detail);
        return record;
    }

    private static EnvelopeRecord Read(CanonicalReader reader)
    {
        reader.BeginArray(9);
        var record = new EnvelopeRecord(
            reader.Id<EnvelopeId>(), (long)reader.UInt(long.MaxValue),
            new((EnvelopeStatus)reader.SmallInt(), ReadReason(reader), ReadText(reader)),
            reader.Bool(), ReadReason(reader), reader.Id<SchemaHash>(), reader.OptionalId<SchemaHash>());
        reader.EndArray();
        return record;
    }

    private static void WriteReason(CanonicalWriter writer, Reason? reason)
    {
        if (reason is { } present) writer.Text(present.ToUpperSnake());
        else writer.Null();
    }

    private static Reason? ReadReason(CanonicalReader reader)
    {
        if (ReadText(reader) is not { } text) return null;
        CanonicalReader.Require(ReasonText.TryParseUpperSnake(text, out var reason), "a reason expected");
        return reason;
    }

    private static string? ReadText(CanonicalReader reader)
    {
        if (reader.Peek() != CanonicalKind.Null) return reader.Text(MaxBytes);
        reader.Null();
        return null;
    }
}
