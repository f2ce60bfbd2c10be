namespace Tlfs.Core.Radix;

/// <summary>The key of the place that a walk is at.</summary>
internal sealed class KeyBuffer
{
    private byte[] _bytes;

    public KeyBuffer(ReadOnlySpan<byte> start)
    {
        _bytes = new byte[Math.Max(64, start.Length * 2)];
        Append(start);
    }

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, Length);

    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (Length + bytes.Length > _bytes.Length) Array.Resize(ref _bytes, (Length + bytes.Length) * 2);
        bytes.CopyTo(_bytes.AsSpan(Length));
        Length += bytes.Length;
    }

    public void Shorten(int bytes) => Length -= bytes;

    public byte[] ToArray() => _bytes.AsSpan(0, Length).ToArray();
}
