namespace Tlfs.Client.Typed;

/// <summary>A byte string that does not change and is equal to another one with the same bytes. The default value is the empty one.</summary>
/// <example><code>Bytes key = new byte[] { 1, 2 }; edit.Avatars[key] = File.ReadAllBytes("me.png");</code></example>
public readonly struct Bytes : IEquatable<Bytes>
{
    private readonly byte[]? _bytes;

    /// <summary>A copy of the bytes.</summary>
    public Bytes(ReadOnlySpan<byte> bytes) => _bytes = bytes.ToArray();

    /// <summary>The bytes.</summary>
    public ReadOnlySpan<byte> Span => _bytes;

    /// <summary>How many there are.</summary>
    public int Length => _bytes?.Length ?? 0;

    /// <summary>A copy of the bytes.</summary>
    public static implicit operator Bytes(byte[] bytes) => FromByteArray(bytes);

    /// <summary>A copy of the bytes.</summary>
    public static Bytes FromByteArray(byte[] bytes) => new(bytes);

    /// <summary>A copy of the bytes.</summary>
    public byte[] ToArray() => Span.ToArray();

    /// <inheritdoc />
    public bool Equals(Bytes other) => Span.SequenceEqual(other.Span);

    /// <inheritdoc />
    public override bool Equals(object? obj) => obj is Bytes other && Equals(other);

    /// <inheritdoc />
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.AddBytes(Span);
        return hash.ToHashCode();
    }

    /// <summary>The same bytes.</summary>
    public static bool operator ==(Bytes left, Bytes right) => left.Equals(right);

    /// <summary>Other bytes.</summary>
    public static bool operator !=(Bytes left, Bytes right) => !left.Equals(right);

    /// <summary>The length only: values are private and do not belong in logs.</summary>
    public override string ToString() => $"{Length} bytes";
}
