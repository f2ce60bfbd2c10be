using Tlfs.Core.Ids;

namespace Tlfs.Core.Policy;

/// <summary>A header and its author's signature, as they travel in a proof.</summary>
/// <param name="Header">At most <see cref="Limits.HeaderBytes"/>.</param>
/// <param name="Signature">64 bytes.</param>
public sealed record SignedHeader(ReadOnlyMemory<byte> Header, ReadOnlyMemory<byte> Signature)
{
    /// <summary>Equal bytes.</summary>
    public bool Equals(SignedHeader? other) =>
        other is not null && Header.Span.SequenceEqual(other.Header.Span) && Signature.Span.SequenceEqual(other.Signature.Span);

    /// <inheritdoc />
    public override int GetHashCode() => HashCode.Combine(Header.Length, Signature.Length);
}

/// <summary>The number at which an author signed two envelopes.</summary>
/// <param name="Document">The document.</param>
/// <param name="Author">The author.</param>
/// <param name="Seq">The number that both have.</param>
public readonly record struct Fork(DocId Document, PeerId Author, ulong Seq);

/// <summary>
/// Checks that two headers prove a fork (docs/protocol/statements.md §4.11). This layer does not know headers; the envelope layer supplies
/// the check. It must be a pure function and must not throw for hostile bytes.
/// </summary>
/// <param name="first">One header.</param>
/// <param name="second">The other.</param>
/// <param name="fork">What they prove, when true is returned.</param>
public delegate bool ForkVerifier(SignedHeader first, SignedHeader second, out Fork fork);

/// <summary>Two envelopes of one author with one number. It proves itself, so it counts whoever states it.</summary>
/// <param name="First">One header.</param>
/// <param name="Second">The other.</param>
/// <param name="Fork">What they prove; not on the wire.</param>
public sealed record Equivocation(SignedHeader First, SignedHeader Second, Fork Fork) : Statement;
