using Geralt;

namespace Tlfs.Core.Crypto;

/// <summary>
/// Secret bytes: pinned so that the collector leaves no copies, zeroed on dispose, and silent in text. Whoever makes one disposes it.
/// </summary>
public sealed class SecretKey : IDisposable
{
    /// <summary>Bytes of all symmetric keys here.</summary>
    public const int Size = 32;

    private readonly byte[] _bytes;
    private bool _disposed;

    /// <summary>Copies the secret; the caller zeroes its own copy.</summary>
    public SecretKey(ReadOnlySpan<byte> bytes)
        : this(bytes.Length) => bytes.CopyTo(_bytes);

    private SecretKey(int length) => _bytes = GC.AllocateUninitializedArray<byte>(length, pinned: true);

    /// <summary>A new random key.</summary>
    public static SecretKey Random(IEntropy entropy, int length = Size)
    {
        var key = new SecretKey(length);
        entropy.Fill(key._bytes);
        return key;
    }

    /// <summary>The secret itself. Do not copy it where it outlives the key.</summary>
    public ReadOnlySpan<byte> Bytes
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _bytes;
        }
    }

    /// <summary>Zeroes a copy of a secret; unlike clearing it, this is never optimised away.</summary>
    public static void Zero(Span<byte> copy) => SecureMemory.ZeroMemory(copy);

    /// <inheritdoc />
    public void Dispose()
    {
        SecureMemory.ZeroMemory(_bytes);
        _disposed = true;
    }

    /// <summary>Never the secret.</summary>
    public override string ToString() => "(secret)";
}
