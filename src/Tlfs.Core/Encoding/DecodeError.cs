namespace Tlfs.Core.Encoding;

/// <summary>Why bytes from outside were refused.</summary>
/// <param name="Reason">The stable reason.</param>
/// <param name="Detail">A short explanation that never repeats the refused bytes.</param>
public readonly record struct DecodeError(Reason Reason, string Detail);

/// <summary>Ends a decoding step; caught in <see cref="Canonical.TryDecode{T}"/> and nowhere else.</summary>
internal sealed class DecodeException(Reason reason, string detail) : Exception(detail)
{
    public DecodeError Error { get; } = new(reason, detail);
}
