using System.Formats.Cbor;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Encoding;

/// <summary>Writes deterministic CBOR. A thin cover over <see cref="CborWriter"/> that knows ids and cannot leave the canonical form.</summary>
public sealed class CanonicalWriter
{
    private readonly CborWriter _cbor = new(CborConformanceMode.Canonical);

    /// <summary>The bytes written so far; the value must be complete.</summary>
    public byte[] ToArray() => _cbor.Encode();

    /// <summary>Begins anew, in the same memory.</summary>
    public void Reset() => _cbor.Reset();

    /// <summary>Starts an array of exactly <paramref name="count"/> items.</summary>
    public void BeginArray(int count) => _cbor.WriteStartArray(count);

    /// <summary>Ends the innermost array.</summary>
    public void EndArray() => _cbor.WriteEndArray();

    /// <summary>Starts a map of exactly <paramref name="count"/> entries with small unsigned keys.</summary>
    public void BeginMap(int count) => _cbor.WriteStartMap(count);

    /// <summary>Writes a map key below 24.</summary>
    public void Key(int key) => _cbor.WriteInt32(key);

    /// <summary>Ends the innermost map.</summary>
    public void EndMap() => _cbor.WriteEndMap();

    /// <summary>Writes an unsigned integer.</summary>
    public void UInt(ulong value) => _cbor.WriteUInt64(value);

    /// <summary>Writes a signed integer.</summary>
    public void Int(long value) => _cbor.WriteInt64(value);

    /// <summary>Writes a byte string.</summary>
    public void Bytes(ReadOnlySpan<byte> value) => _cbor.WriteByteString(value);

    /// <summary>Writes a text string; it must be valid UTF-16.</summary>
    public void Text(string value) => _cbor.WriteTextString(value);

    /// <summary>Writes a boolean.</summary>
    public void Bool(bool value) => _cbor.WriteBoolean(value);

    /// <summary>Writes null.</summary>
    public void Null() => _cbor.WriteNull();

    /// <summary>Writes a finite number in its shortest form.</summary>
    public void Double(double value)
    {
        if (!double.IsFinite(value)) throw new ArgumentOutOfRangeException(nameof(value), "only finite numbers are encoded");
        _cbor.WriteDouble(value);
    }

    /// <summary>Writes a value that is already canonical CBOR.</summary>
    public void Raw(ReadOnlySpan<byte> encoded) => _cbor.WriteEncodedValue(encoded);

    /// <summary>Writes a 32-byte identifier as a byte string.</summary>
    public void Id<T>(T id)
        where T : struct, IId<T> => Bytes32(id.Value);

    /// <summary>Writes an identifier, or null.</summary>
    public void OptionalId<T>(T? id)
        where T : struct, IId<T>
    {
        if (id is { } present) Id(present);
        else Null();
    }

    /// <summary>Writes 32 bytes as a byte string.</summary>
    public void Bytes32(Bytes32 value)
    {
        Span<byte> bytes = stackalloc byte[Ids.Bytes32.Size];
        value.CopyTo(bytes);
        _cbor.WriteByteString(bytes);
    }

    /// <summary>Writes a zone's handle as a byte string.</summary>
    public void Zone(ZoneId zone)
    {
        Span<byte> bytes = stackalloc byte[ZoneId.Size];
        zone.CopyTo(bytes);
        _cbor.WriteByteString(bytes);
    }

    /// <summary>Writes a salt as a byte string.</summary>
    public void Salt(Salt salt)
    {
        Span<byte> bytes = stackalloc byte[Ids.Salt.Size];
        salt.CopyTo(bytes);
        _cbor.WriteByteString(bytes);
    }

    /// <summary>Writes an array, one item at a time.</summary>
    public void Array<T>(IReadOnlyCollection<T> items, Action<T> write)
    {
        BeginArray(items.Count);
        foreach (var item in items) write(item);
        EndArray();
    }
}
