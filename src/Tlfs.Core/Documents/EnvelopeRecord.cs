using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Documents;

/// <summary>What is kept of an envelope beside its bytes.</summary>
/// <param name="Id">The envelope.</param>
/// <param name="Row">Its row in the store; 0 while it is in none.</param>
/// <param name="Outcome">What became of it.</param>
/// <param name="Parts">What is known of its parts.</param>
internal sealed record EnvelopeRecord(EnvelopeId Id, long Row, Outcome Outcome, IReadOnlyList<PartRecord> Parts)
{
    // A sentence for each part, at most.
    private const int MaxBytes = 64 << 10;

    public byte[] Encode() => Canonical.Encode(writer =>
    {
        writer.BeginArray(6);
        writer.Id(Id);
        writer.UInt((ulong)Row);
        PartRecord.Write(writer, Outcome);
        writer.Array(Parts, part => part.Write(writer));
        writer.EndArray();
    });

    public static EnvelopeRecord Decode(ReadOnlyMemory<byte> bytes)
    {
        if (!Canonical.TryDecode(bytes, MaxBytes, Read, out var record, out var error)) throw new InvalidOperationException(error.Detail);
        return record;
    }

    public bool Equals(EnvelopeRecord? other) =>
        other is not null && Id == other.Id && Row == other.Row && Outcome == other.Outcome && Parts.SequenceEqual(other.Parts);

    public override int GetHashCode() => HashCode.Combine(Id, Row, Outcome, Parts.Count);

    private static EnvelopeRecord Read(CanonicalReader reader)
    {
        reader.BeginArray(6);
        var record = new EnvelopeRecord(
            reader.Id<EnvelopeId>(), (long)reader.UInt(long.MaxValue), PartRecord.ReadOutcome(reader), reader.Array(Limits.Parts, () => PartRecord.Read(reader)));
        reader.EndArray();
        return record;
    }
}

/// <summary>What is kept of a part beside its bytes.</summary>
/// <param name="Outcome">What became of it.</param>
/// <param name="IsRead">Whether it was opened or found to be defective.</param>
/// <param name="Defect">Why it never opens.</param>
/// <param name="Schema">The schema version its operations follow; zero unless open.</param>
/// <param name="Carried">The schema version that it carries.</param>
/// <param name="Forwards">Whether it forwards operations of other parts.</param>
internal sealed record PartRecord(Outcome Outcome, bool IsRead, Reason? Defect, SchemaHash Schema, SchemaHash? Carried, bool Forwards)
{
    private const int MaxText = 1 << 10;

    public void Write(CanonicalWriter writer)
    {
        writer.BeginArray(8);
        Write(writer, Outcome);
        writer.Bool(IsRead);
        WriteReason(writer, Defect);
        writer.Id(Schema);
        writer.OptionalId(Carried);
        writer.Bool(Forwards);
        writer.EndArray();
    }

    public static PartRecord Read(CanonicalReader reader)
    {
        reader.BeginArray(8);
        var record = new PartRecord(
            ReadOutcome(reader), reader.Bool(), ReadReason(reader), reader.Id<SchemaHash>(), reader.OptionalId<SchemaHash>(), reader.Bool());
        reader.EndArray();
        return record;
    }

    /// <summary>Three items of an array.</summary>
    public static void Write(CanonicalWriter writer, Outcome outcome)
    {
        writer.UInt((ulong)outcome.Status);
        WriteReason(writer, outcome.Reason);
        if (outcome.Why is { } why) writer.Text(why);
        else writer.Null();
    }

    /// <summary>Three items of an array.</summary>
    public static Outcome ReadOutcome(CanonicalReader reader) => new((EnvelopeStatus)reader.SmallInt(), ReadReason(reader), ReadText(reader));

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
        if (reader.Peek() != CanonicalKind.Null) return reader.Text(MaxText);
        reader.Null();
        return null;
    }
}
