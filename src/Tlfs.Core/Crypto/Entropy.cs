using Geralt;

namespace Tlfs.Core.Crypto;

/// <summary>A source of unpredictable bytes. It is handed in, so that a seed reproduces a run.</summary>
public interface IEntropy
{
    /// <summary>Fills the span with unpredictable bytes.</summary>
    void Fill(Span<byte> destination);
}

/// <summary>The operating system's random numbers.</summary>
public sealed class SystemEntropy : IEntropy
{
    /// <summary>The one instance.</summary>
    public static SystemEntropy Instance { get; } = new();

    private SystemEntropy()
    {
    }

    /// <inheritdoc />
    public void Fill(Span<byte> destination) => SecureRandom.Fill(destination);
}

/// <summary>Shorthands for entropy.</summary>
public static class EntropyExtensions
{
    /// <summary>A new array of unpredictable bytes.</summary>
    public static byte[] Bytes(this IEntropy entropy, int count)
    {
        var bytes = new byte[count];
        entropy.Fill(bytes);
        return bytes;
    }
}
