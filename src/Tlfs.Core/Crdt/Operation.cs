using System.Diagnostics.CodeAnalysis;
using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;
using Tlfs.Core.Lenses;
using Tlfs.Core.Paths;
using Tlfs.Core.Schema;

namespace Tlfs.Core.Crdt;

/// <summary>
/// One step of an edit (docs/protocol/operations.md §3). The hierarchy is closed: the four records below are all there are.
/// </summary>
public abstract record Operation
{
    private protected Operation()
    {
    }

    /// <summary>The canonical bytes, which are hashed and proven one by one.</summary>
    public byte[] Encode() => Canonical.Encode(Write);

    /// <summary>The canonical bytes of each.</summary>
    public static IReadOnlyList<ReadOnlyMemory<byte>> EncodeAll(IReadOnlyList<Operation> operations)
    {
        var writer = new CanonicalWriter();
        var encoded = new ReadOnlyMemory<byte>[operations.Count];
        for (var i = 0; i < encoded.Length; i++)
        {
            operations[i].Write(writer);
            encoded[i] = writer.ToArray();
            writer.Reset();
        }

        return encoded;
    }

    /// <summary>Decodes an operation from outside. Whether it fits a schema is asked of <see cref="OperationCheck"/>.</summary>
    public static bool TryDecode(ReadOnlyMemory<byte> bytes, [MaybeNullWhen(false)] out Operation operation, out DecodeError error) =>
        Canonical.TryDecode(bytes, Limits.EnvelopeBytes, Read, out operation, out error);

    internal abstract void Write(CanonicalWriter writer);

    internal static Operation Read(CanonicalReader reader)
    {
        var count = reader.BeginArrayUpTo(4);
        var code = count > 0 ? reader.SmallInt(3) : -1;
        CanonicalReader.Require(count == (code == 3 ? 4 : 3), "an operation of another length expected");
        Operation operation = code switch
        {
            0 => SchemaOperation.ReadRest(reader),
            1 => new Put(ReadPath(reader), Value.Read(reader)),
            2 => Remove.ReadRest(reader),
            _ => Place.ReadRest(reader),
        };
        reader.EndArray();
        return operation;
    }

    private protected static StoragePath ReadPath(CanonicalReader reader)
    {
        if (!StoragePath.TryDecode(reader.Bytes(Limits.PathBytes), out var path, out var error)) CanonicalReader.Fail(error.Detail, error.Reason);
        return path;
    }
}

/// <summary><c>[0, version, lensList]</c>: carries a schema version to readers who may not have it.</summary>
/// <param name="Version">A label for people.</param>
/// <param name="List">The lenses.</param>
public sealed record SchemaOperation(SchemaVersion Version, LensList List) : Operation
{
    internal override void Write(CanonicalWriter writer)
    {
        writer.BeginArray(3);
        writer.UInt(0);
        writer.Text(Version.ToString());
        writer.Raw(List.Bytes.Span);
        writer.EndArray();
    }

    internal static SchemaOperation ReadRest(CanonicalReader reader)
    {
        CanonicalReader.Require(SchemaVersion.TryParse(reader.Text(Limits.NameBytes), out var version), "a version expected");
        if (!LensList.TryDecode(reader.Raw(), out var list, out var error)) CanonicalReader.Fail(error.Detail, error.Reason);
        return new(version, list);
    }
}

/// <summary><c>[1, path, value]</c>: a register's value, <c>true</c> for a flag, or <c>null</c> at a row or element, which makes it exist.</summary>
/// <param name="Path">The storage path.</param>
/// <param name="Value">The value.</param>
public sealed record Put(StoragePath Path, Value Value) : Operation
{
    internal override void Write(CanonicalWriter writer)
    {
        writer.BeginArray(3);
        writer.UInt(1);
        writer.Bytes(Path.Bytes);
        Value.Write(writer);
        writer.EndArray();
    }
}

/// <summary><c>[2, path, [dot, …]]</c>: takes away the named dots at or under the path.</summary>
/// <param name="Path">The storage path; dots elsewhere are ignored.</param>
/// <param name="Dots">The dots, ascending, at most <see cref="Limits.DotsPerRemove"/>.</param>
public sealed record Remove(StoragePath Path, IReadOnlyList<Dot> Dots) : Operation
{
    /// <inheritdoc />
    public bool Equals(Remove? other) => other is not null && Path.Equals(other.Path) && Dots.SequenceEqual(other.Dots);

    /// <inheritdoc />
    public override int GetHashCode() => HashCode.Combine(Path, Dots.Count, Dots.Count > 0 ? Dots[0] : default);

    internal override void Write(CanonicalWriter writer)
    {
        writer.BeginArray(3);
        writer.UInt(2);
        writer.Bytes(Path.Bytes);
        writer.BeginArray(Dots.Count);
        foreach (var dot in Dots)
        {
            writer.BeginArray(3);
            writer.Id(dot.Envelope);
            writer.UInt(dot.Part);
            writer.UInt(dot.Index);
            writer.EndArray();
        }

        writer.EndArray();
        writer.EndArray();
    }

    internal static Remove ReadRest(CanonicalReader reader)
    {
        var path = ReadPath(reader);
        var dots = reader.Array(Limits.DotsPerRemove, () =>
        {
            reader.BeginArray(3);
            var dot = new Dot(reader.Id<EnvelopeId>(), (ushort)reader.UInt(ushort.MaxValue), (uint)reader.UInt(uint.MaxValue));
            reader.EndArray();
            return dot;
        });
        CanonicalReader.RequireAscending(dots, "dots");
        return new(path, dots);
    }
}

/// <summary><c>[3, path, uid, position]</c>: puts an element of the array at the path at a position. The operation stands at the array's path.</summary>
/// <param name="Path">The array's storage path.</param>
/// <param name="Element">The element.</param>
/// <param name="Position">Where it goes.</param>
public sealed record Place(StoragePath Path, Uid Element, Position Position) : Operation
{
    internal override void Write(CanonicalWriter writer)
    {
        Span<byte> uid = stackalloc byte[Uid.Size];
        Element.CopyTo(uid);
        writer.BeginArray(4);
        writer.UInt(3);
        writer.Bytes(Path.Bytes);
        writer.Bytes(uid);
        writer.Bytes(Position.Bytes);
        writer.EndArray();
    }

    internal static Place ReadRest(CanonicalReader reader)
    {
        var path = ReadPath(reader);
        var uid = Uid.From(reader.FixedBytes(Uid.Size));
        CanonicalReader.Require(Position.TryFrom(reader.Bytes(Limits.PositionBytes), out var position), "a position without a zero at its end expected");
        return new(path, uid, position);
    }
}
