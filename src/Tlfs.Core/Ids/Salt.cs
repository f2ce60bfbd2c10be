using System.Buffers.Binary;

namespace Tlfs.Core.Ids;

/// <summary>Sixteen bytes that keep a hash from being guessed. Who learns one can try values against the hash, so it is silent in text.</summary>
public readonly record struct Salt
{
    /// <summary>Number of bytes.</summary>
    public const int Size = 16;

    private readonly UInt128 _value;

    /// <summary>Copies exactly 16 bytes.</summary>
    public Salt(ReadOnlySpan<byte> bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(bytes.Length, Size);
        _value = BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    /// <summary>Writes the 16 bytes.</summary>
    public void CopyTo(Span<byte> destination) => BinaryPrimitives.WriteUInt128BigEndian(destination, _value);

    /// <summary>The 16 bytes as a new array.</summary>
    public byte[] ToArray()
    {
        var bytes = new byte[Size];
        CopyTo(bytes);
        return bytes;
    }

    /// <summary>Never the salt.</summary>
    public override string ToString() => "(salt)";
}
